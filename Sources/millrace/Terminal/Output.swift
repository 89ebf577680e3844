import Glibc

/// STDOUT was closed by its reader (`| head`): the command ends quietly.
struct OutputClosed: Error {}

/// STDOUT, with a buffer. Belongs to one task.
final class Output {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// One system call per 64 KiB: pipes hold that much.
    private let limit = 64 << 10

    init(descriptor: Int32 = STDOUT_FILENO) {
        self.descriptor = descriptor
        buffer.reserveCapacity(limit + 4_096)
    }

    /// Whether a person looks at it.
    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Appends text.
    func write(_ text: String) throws {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= limit { try flush() }
    }

    /// Appends what `body` adds to the buffer.
    func write(_ body: (inout [UInt8]) -> Void) throws {
        body(&buffer)
        if buffer.count >= limit { try flush() }
    }

    /// Writes what is buffered. Throws `OutputClosed` if nobody reads any more.
    func flush() throws {
        defer { buffer.removeAll(keepingCapacity: true) }
        try writeAll(buffer[...])
    }

    private func writeAll(_ bytes: ArraySlice<UInt8>) throws {
        var rest = bytes
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wait, 1, -1)
            } else if errno == EPIPE {
                throw OutputClosed()
            } else if errno != EINTR {
                throw CommandFailure(message: "cannot write to STDOUT: \(reason(errno))")
            }
        }
    }
}

/// STDERR, without a buffer.
enum StandardError {
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes a text; failures are ignored, for there is nowhere left to report them.
    static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written < 0 && errno != EINTR { return }
            rest = rest.dropFirst(max(0, written))
        }
    }
}

/// What the operating system calls an error number.
func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
