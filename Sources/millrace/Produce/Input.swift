import Glibc
import NIOPosix

/// A file or STDIN, read in chunks on a thread that may block.
final class Input: Sendable {
    /// One system call per MiB of a file; a pipe gives at most 64 KiB.
    private static let chunkBytes = 1 << 20
    private let descriptor: Int32
    private let name: String

    /// Opens a file; `-` is STDIN.
    init(_ name: String) throws {
        self.name = name == "-" ? "STDIN" : name
        guard name != "-" else {
            descriptor = STDIN_FILENO
            return
        }
        descriptor = open(name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure(message: "cannot open \(name): \(reason(errno))") }
    }

    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

    /// The next bytes, as soon as there are any; nil at the end, or when the process is interrupted meanwhile.
    func read() async throws -> [UInt8]? {
        try await NIOThreadPool.singleton.runIfActive { try self.readChunk() }
    }

    /// The next bytes; none if there are none in time. Nil as for `read()`. Without a time it waits as long as it takes.
    func read(withinMilliseconds milliseconds: Int64?) async throws -> [UInt8]? {
        guard let milliseconds else { return try await read() }
        return try await NIOThreadPool.singleton.runIfActive {
            var waiting = [pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)]
            guard poll(&waiting, 1, Int32(clamping: milliseconds)) != 0 else { return [] }
            return try self.readChunk()
        }
    }

    /// Everything to the end.
    func readAll() async throws -> [UInt8] {
        var all: [UInt8] = []
        while let chunk = try await read() { all += chunk }
        return all
    }

    private func readChunk() throws -> [UInt8]? {
        while waitForBytes() {
            var count = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { buffer, initialized in
                count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                initialized = max(0, count)
            }
            if count > 0 { return chunk }
            if count == 0 { return nil }
            if errno != EINTR, errno != EAGAIN {
                throw CommandFailure(message: "cannot read \(name): \(reason(errno))")
            }
        }
        return nil
    }

    /// False when the process is interrupted.
    private func waitForBytes() -> Bool {
        var waiting = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: Interruption.pipe.reading, events: Int16(POLLIN), revents: 0),
        ]
        poll(&waiting, 2, -1)
        return waiting[1].revents == 0
    }
}
