internal import Machine
internal import Search
internal import Telemetry

/// The fields that lines have: read from some of them.
extension LogQLService {
    /// Whose fields.
    public struct FieldsRequest: Sendable {
        /// The query; its limit is the number of lines that are looked at.
        public var query: LogQLRequest
        /// The most fields or values.
        public var limit: Int

        /// Assembles a request.
        public init(_ query: LogQLRequest, limit: Int) { (self.query, self.limit) = (query, limit) }
    }

    /// What is known of a field.
    private struct Field {
        var values: Set<String> = []
        var parsers: Set<String> = []
    }

    /// `detected_fields`: names, types and numbers of values; of structured metadata and of JSON or logfmt.
    public func detectedFields(_ request: FieldsRequest, tenant: String) async throws(LogQLFailure) -> [UInt8] {
        let fields = try await fields(request, tenant)
        var answer = LokiJSON()
        answer.raw("{\"fields\":[")
        for (index, (name, field)) in fields.sorted(by: { $0.key < $1.key }).prefix(request.limit).enumerated() {
            answer.raw(index > 0 ? ",{\"label\":" : "{\"label\":")
            answer.string(name)
            answer.raw(
                ",\"type\":\"\(Self.type(of: field.values))\",\"cardinality\":\(field.values.count),\"parsers\":")
            if field.parsers.isEmpty { answer.raw("null") } else { answer.strings(field.parsers.sorted()) }
            answer.raw("}")
        }
        answer.raw("],\"limit\":\(request.limit)}")
        return answer.bytes
    }

    /// `detected_field/{name}/values`.
    public func detectedValues(
        of name: String, _ request: FieldsRequest, tenant: String
    ) async throws(LogQLFailure) -> [UInt8] {
        let values = try await fields(request, tenant)[name]?.values ?? []
        var answer = LokiJSON()
        answer.raw("{\"values\":")
        answer.strings(Array(values.sorted().prefix(request.limit)))
        answer.raw(",\"limit\":\(request.limit)}")
        return answer.bytes
    }

    private func fields(_ request: FieldsRequest, _ tenant: String) async throws(LogQLFailure) -> [String: Field] {
        var query = request.query
        query.limit = min(query.limit, settings.maximumEntries)
        let selector: LogSelector
        do throws(QueryError) {
            guard case .lines(let lines) = try LogQL.parse(query.text) else {
                throw QueryError(.syntax, "only log selector is supported")
            }
            selector = lines
        } catch {
            running.refuse(.logql, error)
            throw LogQLFailure(400, error.message)
        }
        let asked = RowRequest(
            selector: selector, range: TimeWindow(start: query.start &- 1, end: query.end &- 1), descending: true,
            limit: query.limit, tellsLevels: settings.tellsLevels)
        let source = directory.lines(of: tenant) ?? NoLines()
        let text = query.text
        let rows = try await run(tenant, { "detected_fields \(text)" }) { control async throws(QueryError) in
            try await RowReader(source: source, control: control, cost: LineCost()).rows(asked)
        }
        return Self.fields(of: rows)
    }

    private static func fields(of rows: [LogRow]) -> [String: Field] {
        var fields: [String: Field] = [:]
        let reader = FieldReader()
        for row in rows {
            for label in row.labels.metadata.labels { fields[label.name, default: Field()].values.insert(label.value) }
            let format: FieldFormat = row.line.first { $0 > 0x20 } == UInt8(ascii: "{") ? .json : .logfmt
            var found: [(String, String)] = []
            let failure = row.line.withUnsafeBytes { line in
                reader.visit(format, line, isStrict: true) { name, value in
                    found.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
                    return found.count < 1_000
                }
            }
            // Words that are no fields at all would be names of logfmt.
            guard failure == nil else { continue }
            for (name, value) in found where row.labels.stream[name].isEmpty && !value.isEmpty {
                fields[name, default: Field()].values.insert(value)
                fields[name, default: Field()].parsers.insert(format == .json ? "json" : "logfmt")
            }
        }
        return fields
    }

    private static func type(of values: Set<String>) -> String {
        if values.allSatisfy({ Int64($0) != nil }) { return "int" }
        if values.allSatisfy({ GoNumber.parse($0) != nil }) { return "float" }
        if values.allSatisfy({ $0 == "true" || $0 == "false" }) { return "boolean" }
        if values.allSatisfy({ GoDuration.parseGo($0) != nil }) { return "duration" }
        if values.allSatisfy({ ByteSize.parse($0) != nil }) { return "bytes" }
        return "string"
    }

    /// `format_query`: the query, laid out.
    public func format(_ text: String) throws(LogQLFailure) -> [UInt8] {
        do throws(QueryError) {
            var answer = LokiJSON()
            answer.raw("{\"status\":\"success\",\"data\":")
            answer.string(try LogQL.parse(text).formatted())
            answer.raw("}\n")
            return answer.bytes
        } catch {
            running.refuse(.logql, error)
            throw LogQLFailure(400, error.message)
        }
    }

    /// `status/buildinfo`: Loki's version whose API is served, which clients decide by.
    public static let buildInformation =
        "{\"version\":\"3.5.0\",\"revision\":\"millrace\",\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\","
        + "\"goVersion\":\"\"}\n"

    /// Nanoseconds since 1970.
    public var now: Int64 { clock.wallMilliseconds() &* 1_000_000 }
}
