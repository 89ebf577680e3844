import Instruments
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import ServeHTTP

@Suite struct HTTPServerTests {
    private let registry = InstrumentRegistry()
    private let readiness = Readiness(notReady: "recovering the log")

    private func withServer(
        maximumConnections: Int = 256, _ body: (HTTPServer) async throws -> Void
    ) async throws {
        var settings = HTTPServerSettings()
        settings.port = 0
        settings.maximumConnections = maximumConnections
        let server = try await HTTPServer.start(
            settings: settings, instruments: registry, readiness: readiness,
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

    /// Sends a request on a connection of its own and returns everything that comes back.
    private func get(_ path: String, _ server: HTTPServer) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: server.address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(
                ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
            var text = ""
            for try await part in inbound { text += String(buffer: part) }
            return text
        }
    }

    @Test func rendersMetrics() async throws {
        registry.counter("things_total", help: "Things.").add(7)
        try await withServer { server in
            let response = try await get("/metrics", server)
            #expect(response.hasPrefix("HTTP/1.1 200"))
            #expect(response.contains("text/plain; version=0.0.4; charset=utf-8"))
            #expect(response.contains("things_total 7\n"))
        }
    }

    @Test func isHealthyBeforeItIsReady() async throws {
        try await withServer { server in
            let healthy = try await get("/healthz", server)
            #expect(healthy.hasPrefix("HTTP/1.1 200"))
            let notReady = try await get("/readyz", server)
            #expect(notReady.hasPrefix("HTTP/1.1 503"))
            #expect(notReady.hasSuffix("not ready: recovering the log\n"))
            readiness.state = .ready
            let ready = try await get("/readyz", server)
            #expect(ready.hasPrefix("HTTP/1.1 200"))
            readiness.state = .notReady("stopping")
            let stopping = try await get("/readyz", server)
            #expect(stopping.hasSuffix("not ready: stopping\n"))
        }
    }

    @Test func otherPathsDoNotExist() async throws {
        try await withServer { server in
            let response = try await get("/", server)
            #expect(response.hasPrefix("HTTP/1.1 404"))
        }
    }

    @Test func aTakenPortIsAnError() async throws {
        try await withServer { server in
            var settings = HTTPServerSettings()
            settings.port = server.address.port ?? 0
            await #expect(throws: IOError.self) {
                _ = try await HTTPServer.start(
                    settings: settings, instruments: registry, readiness: readiness,
                    services: HTTPServices(),
                    eventLoops: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
            }
        }
    }
}
