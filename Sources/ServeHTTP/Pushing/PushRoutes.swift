import Hummingbird

/// The routes that take log lines: Loki's, and one for JSON lines.
struct PushRoutes {
    let services: HTTPServices

    func add(to router: some RouterMethods<BasicRequestContext>) {
        let loki = PushEndpoint(services: services, dialect: LokiPush())
        router.post("/loki/api/v1/push") { request, _ in try await loki.respond(to: request) }
        let lines = PushEndpoint(services: services, dialect: JSONLinesPush())
        router.post("/insert/jsonline") { request, _ in try await lines.respond(to: request) }
    }
}
