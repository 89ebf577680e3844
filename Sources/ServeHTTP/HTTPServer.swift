import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Instruments
import Listening
public import Logging
public import NIOCore
import ServiceLifecycle

/// The HTTP listener: `/metrics`, `/healthz`, `/readyz`, and the routes of `HTTPServices`.
///
/// It listens before the log is recovered, so that whoever waits for the process can see that it lives and why it is
/// not ready.
public final class HTTPServer: Sendable {
    /// The address that it listens on; the port is the real one if 0 was asked for.
    public let address: SocketAddress
    private let services: ServiceGroup
    private let running: Task<Void, any Error>

    private init(address: SocketAddress, services: ServiceGroup, running: Task<Void, any Error>) {
        self.address = address
        self.services = services
        self.running = running
    }

    /// Binds and starts to serve.
    ///
    /// - Throws: `IOError` if the address cannot be bound.
    public static func start(
        settings: HTTPServerSettings, instruments: InstrumentRegistry, readiness: Readiness, services: HTTPServices,
        eventLoops: any EventLoopGroup, logger: Logger
    ) async throws -> HTTPServer {
        // Hummingbird says at info what the composition root says in one line.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let (addresses, found) = AsyncStream.makeStream(of: SocketAddress.self)
        let application = Application(
            router: router(instruments, readiness, services),
            server: HTTPServerBuilder { responder in
                let configuration = connections(settings, instruments, logger)
                return LoopChannel(base: HTTP1Channel(responder: responder, configuration: configuration))
            },
            configuration: .init(address: .hostname(settings.host, port: settings.port), serverName: "millrace"),
            onServerRunning: { channel in
                await pauseAccepting(on: channel, instruments, logger)
                if let address = channel.localAddress { found.yield(address) }
                found.finish()
            },
            eventLoopGroupProvider: .shared(eventLoops), logger: quiet)
        let group = ServiceGroup(configuration: .init(services: [.init(service: application)], logger: quiet))
        let running = Task {
            defer { found.finish() }
            try await group.run()
        }
        for await address in addresses {
            return HTTPServer(address: address, services: group, running: running)
        }
        try await running.value
        throw ChannelError.ioOnClosedChannel
    }

    /// Accepts no more connections, finishes the requests that are being answered, and closes.
    public func stop() async {
        await services.triggerGracefulShutdown()
        _ = await running.result
    }

    private static func connections(
        _ settings: HTTPServerSettings, _ instruments: InstrumentRegistry, _ logger: Logger
    ) -> HTTP1Channel.Configuration {
        let bounds = ConnectionBounds(settings: settings, instruments: instruments, logger: logger)
        return .init(
            additionalChannelHandlers: [ConnectionHandler(bounds)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: settings.maximumHeaderBytes, maxHeaderListSize: settings.maximumHeaderBytes,
                maxHeaderFieldCount: settings.maximumHeaderCount))
    }

    /// Before Hummingbird's own handlers, which do nothing about it.
    private static func pauseAccepting(
        on channel: any Channel, _ instruments: InstrumentRegistry, _ logger: Logger
    ) async {
        try? await channel.eventLoop.submit {
            let handler = AcceptPause(listener: "http", instruments: instruments, logger: logger)
            try channel.pipeline.syncOperations.addHandler(handler, position: .first)
        }.get()
    }

    private static func router(
        _ instruments: InstrumentRegistry, _ readiness: Readiness, _ services: HTTPServices
    ) -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/healthz") { _, _ in text(.ok, "ok\n") }
        router.get("/readyz") { _, _ in
            switch readiness.state {
            case .ready: text(.ok, "ready\n")
            case .notReady(let reason): text(.serviceUnavailable, "not ready: \(reason)\n")
            }
        }
        let headers = InfluxHeaders()
        QueryRoutes(services: services, headers: headers).add(to: router)
        PingRoutes(services: services, headers: headers).add(to: router)
        // Everything else here: a route of `router` is answered on the thread that many connections wait for.
        let long = router.group().add(middleware: LeaveLoop())
        long.get("/metrics") { _, _ in
            text(.ok, instruments.render(), contentType: "text/plain; version=0.0.4; charset=utf-8")
        }
        WriteRoutes(services: services, headers: headers).add(to: long)
        PushRoutes(services: services).add(to: long)
        LokiRoutes(services: services, readiness: readiness).add(to: long)
        ViewRoutes(services: services).add(to: long)
        return router
    }

    private static func text(
        _ status: HTTPResponse.Status, _ body: String, contentType: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: contentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}
