import ArgumentParser
import NIOCore
import NIOPosix

/// What every command takes that asks a running server over HTTP.
struct ServerOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("s")],
        help: ArgumentHelp(
            "The HTTP listener of the server. Default: $MILLRACE_SERVER or 127.0.0.1:8086.", valueName: "host:port"))
    var server: String?

    @Option(help: ArgumentHelp("How long to try before giving up.", valueName: "duration"))
    var timeout: DurationArgument = DurationArgument(milliseconds: 10_000)

    private var address: String { server ?? environmentVariable("MILLRACE_SERVER") ?? "127.0.0.1:8086" }

    /// The characters of a path that need no escape.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// A name as one part of a path.
    static func escaped(_ name: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = name.utf8.flatMap { byte -> [UInt8] in
            isPlain(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Sends one request without a body.
    ///
    /// - Returns: the body of the answer.
    /// - Throws: `CommandFailure` if nobody answers, or if the answer is an error.
    func ask(_ method: String, _ path: String) async throws -> [UInt8] {
        let (status, body) = try await send(method, path, [])
        guard status == 200 else {
            throw CommandFailure(
                message: "the server answers \(status): \(String(decoding: body.prefix(500), as: UTF8.self))",
                advice: nil)
        }
        return body
    }

    /// Sends one request.
    ///
    /// - Throws: `CommandFailure` if nobody answers.
    func send(
        _ method: String, _ path: String, _ content: [UInt8], fields: [(name: String, value: String)] = []
    ) async throws -> (status: Int, body: [UInt8]) {
        let advice = "is a server listening on \(address)? Name another with --server HOST:PORT"
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]) else {
            throw CommandFailure(message: "\(address) is no HOST:PORT", advice: advice)
        }
        let host = String(address[..<colon])
        var request = ByteBuffer(
            string: """
                \(method) \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\
                Content-Length: \(content.count)\r\n\(fields.map { "\($0.name): \($0.value)\r\n" }.joined())\r\n
                """)
        request.writeBytes(content)
        let answer: [UInt8]
        do {
            answer = try await exchange(host, port, request)
        } catch {
            throw CommandFailure(message: "cannot ask \(address): \(error)", advice: advice)
        }
        guard let parsed = Self.parse(answer) else {
            throw CommandFailure(message: "\(address) does not answer as an HTTP server does", advice: advice)
        }
        return parsed
    }

    private func exchange(_ host: String, _ port: Int, _ request: ByteBuffer) async throws -> [UInt8] {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.milliseconds(min(timeout.milliseconds, 5_000)))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let deadline = channel.channel.eventLoop.scheduleTask(in: .milliseconds(timeout.milliseconds)) {
            channel.channel.close(promise: nil)
        }
        defer { deadline.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(request)
            var answer: [UInt8] = []
            for try await part in inbound { answer.append(contentsOf: part.readableBytesView) }
            return answer
        }
    }

    /// Status and body of a whole answer: the server says `Content-Length`, and closes the connection.
    static func parse(_ answer: [UInt8]) -> (status: Int, body: [UInt8])? {
        let blank = Array("\r\n\r\n".utf8)
        guard let end = answer.indices.first(where: { answer[$0...].starts(with: blank) }) else { return nil }
        let head = String(decoding: answer[..<end], as: UTF8.self)
        let words = head.prefix { $0 != "\r\n" }.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { return nil }
        return (status, Array(answer[(end + blank.count)...]))
    }
}
