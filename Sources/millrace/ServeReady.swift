import Glibc
import Machine
import NIOCore
import ServeHTTP
import ServeKafka

/// The line that says that everything listens: to STDOUT, and into a file for who waits for one.
struct ReadyLine {
    let text: String

    init(kafka: SocketAddress, http: SocketAddress) {
        text = "ready kafka=\(Self.hostAndPort(kafka)) http=\(Self.hostAndPort(http)) grpc=off version=\(version)"
    }

    /// Prints it; an output that nobody reads any more is no reason to stop.
    func print() {
        Array((text + "\n").utf8).withUnsafeBytes { _ = Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }

    /// Writes it into `path` as a whole: whoever sees the file sees the whole line.
    func write(to path: String, _ files: any FileSystem) throws {
        let partial = path + ".partial"
        let file = try files.open(partial, .replace)
        let bytes = Array((text + "\n").utf8)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        file.close()
        try files.rename(partial, to: path)
    }

    /// `HOST:PORT`, with an IPv6 host in brackets.
    static func hostAndPort(_ address: SocketAddress) -> String {
        let host = address.ipAddress ?? "?"
        return "\(host.contains(":") ? "[\(host)]" : host):\(address.port ?? 0)"
    }
}
