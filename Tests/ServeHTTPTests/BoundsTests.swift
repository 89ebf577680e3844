import Instruments
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import ServeHTTP

/// What clients that do not behave get, on real sockets.
@Suite struct BoundsTests {
    private let registry = InstrumentRegistry()
    private static let request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

    private func withServer(
        _ change: (inout HTTPServerSettings) -> Void, _ body: (HTTPServer) async throws -> Void
    ) async throws {
        var settings = HTTPServerSettings()
        settings.port = 0
        change(&settings)
        let server = try await HTTPServer.start(
            settings: settings, instruments: registry, readiness: Readiness(notReady: "test"),
            services: HTTPServices(),
            eventLoops: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
        do {
            try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func closed(_ reason: ConnectionState.CloseReason) -> Bool {
        registry.counter(
            "millrace_http_connections_closed_total", help: "", labels: [Label("reason", reason.rawValue)]
        ).value > 0
    }

    private func answer(_ socket: TestSocket, contains wanted: String) async throws {
        for _ in 0..<500 where !socket.text.contains(wanted) { try await Task.sleep(nanoseconds: 10_000_000) }
        #expect(socket.text.contains(wanted))
    }

    @Test func idleConnectionsMakeRoom() async throws {
        try await withServer({ $0.maximumConnections = 4 }) { server in
            var idle: [TestSocket] = []
            for _ in 0..<6 {
                let socket = try await TestSocket.connect(to: server)
                socket.send(Self.request)
                try await answer(socket, contains: "ok\n")
                idle.append(socket)
            }
            #expect(try await idle[0].end().contains("200 OK"))
            #expect(try await idle[1].end().contains("200 OK"))
            #expect(closed(.evicted))
            let last = try await TestSocket.connect(to: server)
            last.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            try await answer(last, contains: "millrace_http_connections 4\n")
            for socket in idle + [last] { await socket.close() }
        }
    }

    @Test func withoutAnyIdleConnectionTheAnswerIs503() async throws {
        // A page that no socket buffer holds keeps a connection busy whose client does not read.
        registry.addCollector { writer in
            writer.family("filler", help: String(repeating: "x", count: 6 << 20), kind: .gauge)
        }
        try await withServer({ $0.maximumConnections = 1 }) { server in
            let busy = try await TestSocket.connect(to: server, isReading: false)
            busy.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            try await Task.sleep(nanoseconds: 500_000_000)
            let refused = try await TestSocket.connect(to: server)
            #expect(try await refused.end().hasPrefix("HTTP/1.1 503 "))
            #expect(closed(.tooManyConnections))
            await busy.close()
        }
    }

    @Test func aResponseThatIsNotReadEndsTheConnection() async throws {
        registry.addCollector { writer in
            writer.family("filler", help: String(repeating: "x", count: 6 << 20), kind: .gauge)
        }
        try await withServer({ $0.responseTimeoutSeconds = 1 }) { server in
            let socket = try await TestSocket.connect(to: server, isReading: false)
            socket.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            for _ in 0..<500 where !closed(.responseTimeout) { try await Task.sleep(nanoseconds: 10_000_000) }
            #expect(closed(.responseTimeout))
            await socket.close()
        }
    }

    @Test(arguments: [
        "", "GET /healthz HTT", "GET /healthz HTTP/1.1\r\nHost: x\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab",
    ])
    func anIncompleteRequestEndsTheConnection(_ text: String) async throws {
        try await withServer({ $0.requestTimeoutSeconds = 1 }) { server in
            let socket = try await TestSocket.connect(to: server)
            if !text.isEmpty { socket.send(text) }
            _ = try await socket.end()
            #expect(closed(.requestTimeout))
        }
    }

    @Test func anIdleConnectionIsClosed() async throws {
        try await withServer({ $0.idleTimeoutSeconds = 1 }) { server in
            let socket = try await TestSocket.connect(to: server)
            socket.send(Self.request)
            #expect(try await socket.end().hasPrefix("HTTP/1.1 200 "))
            #expect(closed(.idle))
        }
    }

    enum Oversized: String, CaseIterable {
        case field, target, count

        var request: String {
            switch self {
            case .field: "GET / HTTP/1.1\r\nA: " + String(repeating: "x", count: 10 << 20)
            case .target: "GET /" + String(repeating: "x", count: 10 << 20)
            case .count: "GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 100_000)
            }
        }
    }

    @Test(arguments: Oversized.allCases)
    func headersBeyondTheBoundAreAnsweredAtOnce(_ oversized: Oversized) async throws {
        try await withServer({ _ in }) { server in
            let socket = try await TestSocket.connect(to: server)
            socket.send(oversized.request)
            #expect(try await socket.end(withinSeconds: 5).hasPrefix("HTTP/1.1 431 "))
            #expect(closed(.headersTooLarge))
        }
    }

    @Test func whatIsNotHTTPIsAnsweredWith400() async throws {
        try await withServer({ _ in }) { server in
            let socket = try await TestSocket.connect(to: server)
            socket.send(Self.request + "\u{1}\u{2}\r\n\r\n")
            let text = try await socket.end(withinSeconds: 5)
            #expect(text.hasPrefix("HTTP/1.1 200 "))
            #expect(text.contains("HTTP/1.1 400 "))
            #expect(closed(.malformed))
        }
    }
}
