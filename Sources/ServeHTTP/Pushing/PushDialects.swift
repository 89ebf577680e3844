import Bytes
import Decode
import HTTPTypes
import Hummingbird
import Telemetry

/// What a way of pushing lines makes of a body. The rest is the same for all.
protocol PushDialect: Sendable {
    /// The lines of a body, whose content coding is undone.
    ///
    /// - Parameter now: nanoseconds since 1970, for lines without a time.
    func decode(_ body: UnsafeRawBufferPointer, of request: Request, now: Int64) throws(PushProblem) -> LinePush
    /// Whether a push without any stream is refused.
    var demandsStreams: Bool { get }
}

/// An answer that is not 204.
struct PushProblem: Error, Equatable {
    var status: HTTPResponse.Status
    var text: String

    init(_ status: HTTPResponse.Status, _ text: String) {
        self.status = status
        self.text = text
    }
}

/// `POST /loki/api/v1/push`: JSON, or protobuf compressed by snappy.
///
/// Deviations: entries that cannot be read stand beside good ones, which are written; Loki refuses such a push as a
/// whole. Without a known `Content-Type` a body that begins like an object is JSON; Loki takes it for protobuf, or
/// refuses it.
struct LokiPush: PushDialect {
    var demandsStreams: Bool { true }

    func decode(_ body: UnsafeRawBufferPointer, of request: Request, now: Int64) throws(PushProblem) -> LinePush {
        do throws(DecodeError) {
            if Self.isJSON(body, request.headers[.contentType]) { return try LokiJSON.decode(body) }
            return try Self.protobuf(body)
        } catch {
            throw PushProblem(error.code == .limitReached ? .contentTooLarge : .badRequest, error.message)
        }
    }

    private static func isJSON(_ body: UnsafeRawBufferPointer, _ contentType: String?) -> Bool {
        let type = (contentType ?? "").prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        if type == "application/json" { return true }
        guard type != "application/x-protobuf" else { return false }
        return body.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 } == UInt8(ascii: "{")
    }

    private static func protobuf(_ body: UnsafeRawBufferPointer) throws(DecodeError) -> LinePush {
        var writer = ByteWriter(capacity: min(WriteBody.maximumBytes, body.count * 4 + 64))
        do throws(BytesError) {
            try Compression.snappy.decompress(body, limit: WriteBody.maximumBytes, into: &writer)
        } catch {
            throw DecodeError(error.code == .limitExceeded ? .limitReached : .malformed, error.message)
        }
        return try writer.withUnsafeBytes { bytes throws(DecodeError) in try LokiProtobuf.decode(bytes) }
    }
}

/// `POST /insert/jsonline?_stream_fields=&_time_field=&_msg_field=&ignore_fields=&extra_fields=`: a JSON object per
/// line, as VictoriaLogs takes them. Each parameter is a list with commas.
///
/// Deviations: `extra_fields=name=value` are labels. Without the other parameters time and line are looked for under
/// their usual names (`JSONLines`). Members that are objects or arrays are not taken apart: their JSON is the value.
struct JSONLinesPush: PushDialect {
    var demandsStreams: Bool { false }

    func decode(_ body: UnsafeRawBufferPointer, of request: Request, now: Int64) throws(PushProblem) -> LinePush {
        let parameters = QueryParameters(request.uri.query)
        var lines = JSONLines()
        if let names = Self.list(parameters["_time_field"]) { lines.timeNames = names }
        if let names = Self.list(parameters["_msg_field"]) { lines.messageNames = names }
        lines.streamNames = Self.list(parameters["_stream_fields"]) ?? []
        lines.ignoredNames = Self.list(parameters["ignore_fields"]) ?? []
        for pair in Self.list(parameters["extra_fields"]) ?? [] {
            guard let place = pair.firstIndex(of: "="), StreamLabels.isLabelName(pair[..<place]) else {
                throw PushProblem(
                    .badRequest, "extra_fields is a list of name=value; a name has letters, digits and _")
            }
            lines.labels.append(StreamLabels.Label(String(pair[..<place]), String(pair[pair.index(after: place)...])))
        }
        return lines.decode(body, now: now)
    }

    private static func list(_ text: String?) -> [String]? {
        text.map { $0.split(separator: ",").map(String.init) }
    }
}
