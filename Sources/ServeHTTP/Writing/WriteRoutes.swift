import Hummingbird

/// The routes that take lines: those of InfluxDB 1.x, 2.x and 3.x.
struct WriteRoutes {
    let services: HTTPServices
    let headers: InfluxHeaders

    func add(to router: some RouterMethods<BasicRequestContext>) {
        add(InfluxWrite1(), at: "/write", to: router)
        add(InfluxWrite2(), at: "/api/v2/write", to: router)
        add(InfluxWrite3(), at: "/api/v3/write_lp", to: router)
    }

    private func add(
        _ dialect: some WriteDialect, at path: RouterPath, to router: some RouterMethods<BasicRequestContext>
    ) {
        let endpoint = WriteEndpoint(services: services, headers: headers, dialect: dialect)
        router.post(path) { request, _ in try await endpoint.respond(to: request) }
    }
}
