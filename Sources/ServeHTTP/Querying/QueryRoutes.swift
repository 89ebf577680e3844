import Bytes
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Query
import Synchronization

/// `GET` and `POST /query`: InfluxQL. Parameters stand in the target or in a form; the target's come first. Names and
/// passwords are accepted and not looked at.
///
/// 400 for what cannot be parsed; 200 for everything else, with the errors of statements in their results; 413 for a
/// form beyond 25 MB; 503 while the server starts or stops. A client that goes ends its query.
struct QueryRoutes {
    /// The most bytes of a form.
    static let maximumFormBytes = 25_000_000
    /// The most bytes of an answer that are compressed: a longer one is on its way before its end is known.
    static let maximumCompressedBytes = 1 << 20

    /// How long an answer may take before its client's connection is watched, in milliseconds.
    static let patienceMilliseconds: UInt64 = 250

    /// The most bytes of parameters that are parsed on the event loop: about 50 µs.
    static let maximumLoopBytes = 8_192

    let services: HTTPServices
    let headers: InfluxHeaders

    func add(to router: some RouterMethods<BasicRequestContext>) {
        router.get("/query") { request, _ in try await respond(to: request, isReadOnly: true) }
        router.post("/query") { request, _ in try await respond(to: request, isReadOnly: false) }
    }

    private func respond(to request: Request, isReadOnly: Bool) async throws -> Response {
        let format = format(QueryParameters(request.uri.query), request)
        guard let service = services.queries else {
            return failure(.serviceUnavailable, "the server is starting or stopping", format, request)
        }
        var form: String?
        if !isReadOnly, request.headers[.contentType]?.hasPrefix("application/x-www-form-urlencoded") == true {
            guard let body = try? await request.body.collect(upTo: Self.maximumFormBytes) else {
                return failure(.contentTooLarge, "Request Entity Too Large", format, request)
            }
            form = String(buffer: body)
        }
        let parameters = (form ?? "").utf8.count + (request.uri.query ?? "").utf8.count
        if parameters <= Self.maximumLoopBytes {
            return try await respond(to: request, form, format, service, isReadOnly)
        }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await respond(to: request, form, format, service, isReadOnly)
        }
    }

    private func respond(
        to request: Request, _ form: String?, _ format: ResultFormat, _ service: InfluxQLService, _ isReadOnly: Bool
    ) async throws -> Response {
        let (target, form) = (QueryParameters(request.uri.query), QueryParameters(form))
        let parameter = { (name: String) in target[name] ?? form[name] }
        var query = InfluxQLRequest(parameter("q") ?? "")
        query.isReadOnly = isReadOnly
        query.format = format
        query.database = parameter("db")
        query.retentionPolicy = parameter("rp")
        query.format.epoch = .init(parameter: parameter("epoch"))
        query.format.isChunked = parameter("chunked") == "true"
        if let rows = parameter("chunk_size").flatMap({ Int($0) }), rows > 0 { query.format.chunkRows = rows }
        let statements: [Statement]
        do throws(QueryError) {
            if let values = parameter("params") { query.parameters = try BoundParameter.parse(values) }
            statements = try service.parse(query)
        } catch {
            return failure(.badRequest, error.message, query.format, request)
        }
        return try await answer(statements, query, service, request)
    }

    private func format(_ target: QueryParameters, _ request: Request) -> ResultFormat {
        var format = ResultFormat()
        format.isPretty = target["pretty"] == "true"
        format.isCSV = ["application/csv", "text/csv"].contains(request.headers[.accept] ?? "")
        return format
    }

    private func failure(
        _ status: HTTPResponse.Status, _ message: String, _ format: ResultFormat, _ request: Request
    ) -> Response {
        var fields = headers.fields(for: request)
        fields[.contentType] = format.contentType
        // Field values hold no line ends.
        fields[.influxError] = String(message.prefix(1_000).map { $0.isNewline ? " " : $0 })
        if status == .serviceUnavailable { fields[.retryAfter] = "1" }
        if status == .contentTooLarge { fields[.connection] = "close" }
        let body = InfluxQLService.failure(message, format)
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    /// Runs the statements and gives the answer as a whole, or, of one that is long or takes its time, the first bytes
    /// of it; the rest flows as the client takes it.
    private func answer(
        _ statements: [Statement], _ query: InfluxQLRequest, _ service: InfluxQLService, _ request: Request
    ) async throws -> Response {
        let pieces = AnswerPieces()
        // Begins on this thread and stays on it until it has to wait: a small query ends before that, and no other
        // thread is woken for it.
        let running = Task.immediate {
            do throws(QueryError) {
                try await service.run(statements, query) { bytes throws(QueryError) in try await pieces.put(bytes) }
            } catch {
                // The client has gone; nobody reads an error.
            }
            pieces.finish()
        }
        let compresses = request.headers[.acceptEncoding]?.contains("gzip") == true
        var fields = headers.fields(for: request)
        fields[.contentType] = query.format.contentType
        let first: AnswerPieces.Taken
        if let whole = pieces.takeWhole() {
            first = whole
        } else {
            let wanted = compresses ? Self.maximumCompressedBytes : 1
            first = try await begin(pieces, running, atLeast: wanted, request, &fields)
        }
        guard first.isWhole else {
            return Response(status: .ok, headers: fields, body: Self.stream(first, pieces, running))
        }
        if compresses, let compressed = Self.compress(first.bytes) {
            fields[.contentEncoding] = "gzip"
            return Response(
                status: .ok, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: compressed)))
        }
        return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: first.bytes)))
    }

    /// Waits for the first bytes of an answer, and watches the connection if that takes long.
    private func begin(
        _ pieces: AnswerPieces, _ running: Task<Void, Never>, atLeast wanted: Int, _ request: Request,
        _ fields: inout HTTPFields
    ) async throws -> AnswerPieces.Taken {
        let soon = await withTaskCancellationHandler {
            await pieces.take(atLeast: wanted, withinMilliseconds: Self.patienceMilliseconds)
        } onCancel: {
            pieces.close()
            running.cancel()
        }
        if let soon { return soon }
        // The body of a POST is taken already, and with it the way to see that the client goes.
        if request.method == .post { return await pieces.take(atLeast: wanted) }
        // Watching the connection costs it: it closes behind the answer.
        fields[.connection] = "close"
        let watch = Watch()
        return try await request.body.consumeWithInboundCloseHandler { _ in
            defer { watch.isOver.store(true, ordering: .relaxed) }
            return await pieces.take(atLeast: wanted)
        } onInboundClosed: {
            // It is called when watching ends, too: the client is still there, and waits for the rest.
            guard !watch.isOver.load(ordering: .relaxed) else { return }
            pieces.close()
            running.cancel()
        }
    }

    private static func stream(
        _ first: AnswerPieces.Taken, _ pieces: AnswerPieces, _ running: Task<Void, Never>
    ) -> ResponseBody {
        let reader = AnswerReader(pieces: pieces, running: running)
        return ResponseBody { writer in
            try await writer.write(ByteBuffer(bytes: first.bytes))
            while true {
                let piece = await reader.pieces.take(atLeast: 1)
                if !piece.bytes.isEmpty { try await writer.write(ByteBuffer(bytes: piece.bytes)) }
                if piece.isWhole { break }
            }
            try await writer.finish(nil)
        }
    }

    /// Bytes as gzip; nil if there is no memory for it.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        bytes.withUnsafeBytes { bytes in
            var writer = ByteWriter(capacity: bytes.count / 4 + 64)
            do throws(BytesError) {
                try Compression.gzip.compress(bytes, into: &writer)
            } catch {
                return nil
            }
            return writer.array()
        }
    }
}

/// Whether a client's connection is still watched.
private final class Watch: Sendable {
    let isOver = Atomic(false)
}
