import Glibc
import Machine
import MillraceTesting
import Testing

/// Two ends of a connection of this process.
private struct SocketPair: ~Copyable {
    let socket: StreamSocket
    private let near: Int32
    private let far: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        (near, far) = (ends[0], ends[1])
        socket = StreamSocket(descriptor: near)
    }

    deinit {
        close(near)
        close(far)
    }

    func hangUp() { shutdown(far, Int32(SHUT_RDWR)) }

    /// What has arrived at the far end.
    func received() -> [UInt8] {
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(far, &part, part.count)
            guard count > 0 else { return all }
            all += part[..<count]
        }
    }
}

@Suite struct StreamSocketTests {
    private let pattern = (0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    @Test func bytesAndARangeOfAFileArriveInOrder() throws {
        let directory = try TemporaryDirectory("socket")
        let file = try Machine.posix().files.open(directory.path + "/file", .create)
        try pattern[..<10_000].withUnsafeBytes { bytes throws in try file.write(bytes, at: 0) }
        let pair = try SocketPair()
        let header = [UInt8]("header".utf8)
        pair.socket.cork(true)
        let sent = header.withUnsafeBytes { pair.socket.send($0, more: true) }
        let fromFile = pair.socket.sendFile(try #require(file.descriptor), 100..<9_000)
        pair.socket.cork(false)
        #expect(sent == 6 && fromFile == 8_900)
        #expect(pair.received() == header + pattern[100..<9_000])
    }

    @Test func aFullSocketSaysHowMuchItTook() throws {
        let pair = try SocketPair()
        let sent = try #require(pattern.withUnsafeBytes { pair.socket.send($0, more: false) })
        #expect(sent > 0 && sent < pattern.count)
        let more = pattern.withUnsafeBytes { pair.socket.send($0, more: false) }
        #expect(more == 0)
        #expect(pair.received() == Array(pattern[..<sent]))
    }

    @Test func aFileThatEndsBeforeTheRangeIsNotPaddedAndABrokenConnectionIsTold() throws {
        let directory = try TemporaryDirectory("socket")
        let file = try Machine.posix().files.open(directory.path + "/file", .create)
        try pattern[..<1_000].withUnsafeBytes { bytes throws in try file.write(bytes, at: 0) }
        let pair = try SocketPair()
        #expect(pair.socket.sendFile(try #require(file.descriptor), 900..<2_000) == 100)
        signal(SIGPIPE, SIG_IGN)
        pair.hangUp()
        let sent = pattern[..<10].withUnsafeBytes { pair.socket.send($0, more: false) }
        #expect(sent == nil)
        #expect(pair.socket.sendFile(try #require(file.descriptor), 0..<10) == nil)
    }
}
