/// Asks a server's Loki API for lines.
struct LokiRequest {
    var server: ServerOptions
    var tenant: String?

    /// Lines of a log query, or samples of a metric query.
    ///
    /// - Parameters:
    ///   - start: nanoseconds since 1970; the first moment.
    ///   - end: the moment behind the last one.
    func range(
        _ query: String, start: Int64, end: Int64, limit: Int, forward: Bool, step: String? = nil
    ) async throws -> LokiAnswer {
        var path = "/loki/api/v1/query_range?query=\(ServerOptions.escaped(query))&start=\(start)&end=\(end)"
        path += "&limit=\(limit)&direction=\(forward ? "forward" : "backward")"
        if let step { path += "&step=\(ServerOptions.escaped(step))" }
        return try await ask(path)
    }

    /// Samples of a metric query at one moment.
    func at(_ query: String, time: Int64) async throws -> LokiAnswer {
        try await ask("/loki/api/v1/query?query=\(ServerOptions.escaped(query))&time=\(time)")
    }

    private func ask(_ path: String) async throws -> LokiAnswer {
        // A search without a label is about every stream.
        let path = path + "&every_stream=true"
        // The labels of a stream apart from what its lines have beside them.
        var fields = [(name: "X-Loki-Response-Encoding-Flags", value: "categorize-labels")]
        if let tenant { fields.append(("X-Scope-OrgID", tenant)) }
        let (status, body) = try await server.send("GET", path, [], fields: fields)
        guard status == 200 else {
            let text = String(decoding: body.prefix(2_000), as: UTF8.self)
            let advice = status == 400 ? "docs/logql.md has the language; --explain shows the query as LogQL" : nil
            throw CommandFailure(message: "the server answers \(status): \(text)", advice: advice)
        }
        return try LokiAnswer.read(body)
    }
}
