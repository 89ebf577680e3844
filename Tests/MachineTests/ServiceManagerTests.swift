import Glibc
import Machine
import Testing

@Suite struct ServiceManagerTests {
    /// A datagram socket bound to `name`, where `@` begins an abstract name.
    private func receiver(_ name: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array((name.hasPrefix("@") ? "\0" + name.dropFirst() : name).utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + bytes.count)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        try #require(bound == 0)
        return descriptor
    }

    private func received(_ descriptor: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    @Test(arguments: ["@millrace-notify-\(getpid())", "/tmp/millrace-notify-\(getpid())"])
    func aStateArrivesAsOneDatagram(name: String) throws {
        let descriptor = try receiver(name)
        defer {
            close(descriptor)
            unlink(name)
        }
        let manager = try #require(ServiceManager(socketPath: name))
        #expect(manager.tell("READY=1\nSTATUS=serves"))
        #expect(received(descriptor) == "READY=1\nSTATUS=serves")
    }

    @Test func nobodyListeningIsNoFailure() throws {
        let manager = try #require(ServiceManager(socketPath: "@millrace-nobody-\(getpid())"))
        #expect(!manager.tell("READY=1"))
    }

    @Test(arguments: [nil, "", "@", "relative", "vsock:2:1", "/" + String(repeating: "x", count: 200)])
    func whatIsNoSocketIsNoManager(path: String?) {
        #expect(ServiceManager(socketPath: path) == nil)
    }
}
