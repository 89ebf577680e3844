import HTTPTypes
import Ingest
import Telemetry

/// `POST /write?db=&rp=&precision=&consistency=` of InfluxDB 1.x. `u` and `p` and basic authentication are taken and
/// not looked at until there are principals.
///
/// Deviation: a precision that InfluxDB does not know is refused with 400; InfluxDB takes it for nanoseconds, and the
/// points end up in 1970.
struct InfluxWrite1: WriteDialect {
    var createsDatabases: Bool { false }

    func request(_ parameters: QueryParameters) throws(WriteProblem) -> WriteRequest {
        guard let database = parameters.bytes("db") else { throw WriteProblem(.badRequest, "database is required") }
        if let consistency = parameters["consistency"],
            !["any", "one", "quorum", "all"].contains(consistency.lowercased())
        {
            throw WriteProblem(.badRequest, "invalid consistency level")
        }
        let name = parameters["precision"] ?? "ns"
        guard let precision = TimePrecision(name: name) else {
            throw WriteProblem(.badRequest, "invalid precision \"\(name)\" (use n, u, ms, s, m or h)")
        }
        return WriteRequest(
            database: database, retentionPolicy: parameters.bytes("rp") ?? [], precision: precision)
    }

    func body(_ problem: WriteProblem) -> String { "{\"error\":\(JSONString.quoted(problem.text))}" }
}

/// `POST /api/v2/write?bucket=&org=&precision=` of InfluxDB 2.x: a bucket is a database, or a database and a retention
/// policy with a slash between them. The organisation and the token are taken and not looked at.
struct InfluxWrite2: WriteDialect {
    var createsDatabases: Bool { false }

    func request(_ parameters: QueryParameters) throws(WriteProblem) -> WriteRequest {
        guard let bucket = parameters.bytes("bucket") else { throw WriteProblem(.badRequest, "bucket is required") }
        let parts = bucket.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let database = parts.first.map(Array.init), !database.isEmpty else {
            throw WriteProblem(.badRequest, "the bucket has no database in front of the slash")
        }
        let name = parameters["precision"] ?? "ns"
        guard ["ns", "us", "ms", "s"].contains(name), let precision = TimePrecision(name: name) else {
            throw WriteProblem(.badRequest, "invalid precision \"\(name)\" (use ns, us, ms or s)")
        }
        return WriteRequest(
            database: database, retentionPolicy: parts.count > 1 ? Array(parts[1]) : [], precision: precision)
    }

    func body(_ problem: WriteProblem) -> String {
        let code =
            switch problem.status {
            case .badRequest: "invalid"
            case .forbidden: "forbidden"
            case .notFound: "not found"
            case .contentTooLarge: "request too large"
            case .serviceUnavailable: "unavailable"
            default: "internal error"
            }
        return "{\"code\":\(JSONString.quoted(code)),\"message\":\(JSONString.quoted(problem.text))}"
    }
}

/// `POST /api/v3/write_lp?db=&precision=&accept_partial=` of InfluxDB 3: creates the database if there is none, tells
/// of each refused line, and refuses all of them if `accept_partial=false` and one is bad.
///
/// Deviation: `precision=auto`, the default, guesses the unit once for a request, from its first timestamp; InfluxDB
/// guesses for each line.
struct InfluxWrite3: WriteDialect {
    var createsDatabases: Bool { true }

    func request(_ parameters: QueryParameters) throws(WriteProblem) -> WriteRequest {
        guard let database = parameters.bytes("db") else {
            throw WriteProblem(.badRequest, "missing query parameter 'db'")
        }
        let name = parameters["precision"] ?? "auto"
        guard name == "auto" || ["ns", "us", "ms", "s"].contains(name) || name.hasSuffix("second"),
            let precision = name == "auto" ? .nanoseconds : TimePrecision(name: name)
        else {
            throw WriteProblem(
                .badRequest, "invalid precision \"\(name)\" (use auto, nanosecond, microsecond, millisecond or second)")
        }
        var request = WriteRequest(
            database: database, precision: precision, acceptsPartial: parameters["accept_partial"] != "false")
        request.guessesPrecision = name == "auto"
        return request
    }

    func body(_ problem: WriteProblem) -> String {
        guard let refusal = problem.refusal else { return "{\"error\":\(JSONString.quoted(problem.text))}" }
        let title =
            refusal.written > 0 || refusal.dropped > 0
            ? "partial write of line protocol occurred" : "parsing failed for write_lp endpoint"
        let lines = refusal.lines.map { line in
            """
            {"original_line":\(JSONString.quoted(line.text)),"line_number":\(line.number ?? 0),\
            "error_message":\(JSONString.quoted(line.reason))}
            """
        }
        return "{\"error\":\(JSONString.quoted(title)),\"data\":[\(lines.joined(separator: ","))]}"
    }
}
