import HTTPTypes
import Hummingbird
import NIOCore
import Query

/// Loki's API for queries: docs/loki-api.md has the table of what is served, and each deviation.
///
/// 400 for what is wrong with a request, with Loki's words; 429 if too many queries run; 499 and 504 as Loki for those
/// that are cancelled or take too long; 503 while the server starts or stops.
struct LokiRoutes {
    let services: HTTPServices
    let readiness: Readiness

    private typealias Handler =
        @Sendable (LogQLService, LokiRequest, LokiParameters, String) async throws(LogQLFailure) -> [UInt8]

    func add(to router: some RouterMethods<BasicRequestContext>) {
        route("query", router) { service, request, parameters, _ async throws(LogQLFailure) in
            var query = try parameters.instantQuery()
            query.categorizes = request.categorizes
            return try await service.answer(query, tenant: request.tenant)
        }
        route("query_range", router) { service, request, parameters, _ async throws(LogQLFailure) in
            var query = try parameters.rangeQuery()
            query.categorizes = request.categorizes
            return try await service.answer(query, tenant: request.tenant)
        }
        addIndex(router)
        addDetected(router)
        route("patterns", router) { _, _, _, _ in Array("{\"status\":\"success\",\"data\":[]}".utf8) }
        route("format_query", router) { service, request, _, _ async throws(LogQLFailure) in
            try service.format(request["query"] ?? "")
        }
        router.get("/loki/api/v1/status/buildinfo") { request, _ in
            try await LokiAnswer.respond(to: request) { Array(LogQLService.buildInformation.utf8) }
        }
        router.get("/ready") { _, _ in
            let (isReady, text) =
                switch readiness.state {
                case .ready: (true, "ready\n")
                case .notReady(let reason): (false, "not ready: \(reason)\n")
                }
            return Response(
                status: isReady ? .ok : .serviceUnavailable, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
    }

    private func addIndex(_ router: some RouterMethods<BasicRequestContext>) {
        for path: RouterPath in ["labels", "label"] {
            route(path, router) { service, request, parameters, _ async throws(LogQLFailure) in
                try await service.labels(try parameters.selection(request.selectors), tenant: request.tenant)
            }
        }
        route("label/{name}/values", router) { service, request, parameters, name async throws(LogQLFailure) in
            let selection = try parameters.selection(request.selectors)
            return try await service.values(of: name, selection, tenant: request.tenant)
        }
        route("series", router) { service, request, parameters, _ async throws(LogQLFailure) in
            guard !request.selectors.isEmpty else { throw LogQLFailure(400, "0 matcher groups supplied") }
            return try await service.series(try parameters.selection(request.selectors), tenant: request.tenant)
        }
        route("index/stats", router) { service, request, parameters, _ async throws(LogQLFailure) in
            try await service.statistics(try parameters.selection(request.selectors), tenant: request.tenant)
        }
        for (path, isRange) in [("index/volume", false), ("index/volume_range", true)] as [(RouterPath, Bool)] {
            route(path, router) { service, request, parameters, _ async throws(LogQLFailure) in
                let selection = try parameters.selection(request.selectors)
                let volume = try parameters.volume(selection, isRange: isRange)
                return try await service.volume(selection, volume, tenant: request.tenant)
            }
        }
    }

    private func addDetected(_ router: some RouterMethods<BasicRequestContext>) {
        route("detected_labels", router) { service, request, parameters, _ async throws(LogQLFailure) in
            try await service.detectedLabels(try parameters.selection(request.selectors), tenant: request.tenant)
        }
        route("detected_fields", router) { service, request, parameters, _ async throws(LogQLFailure) in
            try await service.detectedFields(try parameters.fields(), tenant: request.tenant)
        }
        route("detected_field/{name}/values", router) { service, request, parameters, name async throws(LogQLFailure) in
            try await service.detectedValues(of: name, try parameters.fields(), tenant: request.tenant)
        }
    }

    /// Serves a path by GET and by POST.
    private func route(
        _ path: RouterPath, _ router: some RouterMethods<BasicRequestContext>, _ handler: @escaping Handler
    ) {
        for method in [HTTPRequest.Method.get, .post] {
            router.on("/loki/api/v1/\(path)", method: method) { request, context in
                do {
                    guard let service = services.logs else {
                        throw LogQLFailure(503, "the server is starting or stopping")
                    }
                    var asked = try await LokiRequest(request)
                    let flags = HTTPField.Name("X-Loki-Response-Encoding-Flags").flatMap { request.headers[$0] } ?? ""
                    asked.categorizes = flags.split(separator: ",").contains { $0 == "categorize-labels" }
                    let (wanted, name) = (asked, context.parameters.get("name") ?? "")
                    return try await LokiAnswer.respond(to: request) { () async throws(LogQLFailure) in
                        let parameters = LokiParameters(now: service.now) { wanted[$0] }
                        return try await handler(service, wanted, parameters, name)
                    }
                } catch let failure as LogQLFailure {
                    return LokiAnswer.failure(failure, request)
                }
            }
        }
    }
}

extension LokiRequest {
    /// The selectors of a request, by any of the names that Loki's API has for them.
    var selectors: [String] {
        (all("match[]") + all("match") + all("query")).filter { !$0.isEmpty && $0 != "{}" }
    }
}
