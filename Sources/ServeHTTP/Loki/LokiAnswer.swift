import HTTPTypes
import Hummingbird
import HummingbirdCore
import Ingest
import NIOCore
import Query
import Synchronization

/// A request to Loki's API: its parameters from the target and from a form, and its tenant.
struct LokiRequest: Sendable {
    /// The most bytes of a form.
    static let maximumFormBytes = 1 << 20

    let tenant: String
    /// Whether lines tell their metadata and parsed labels apart from the stream's.
    var categorizes = false
    private let target: QueryParameters
    private let form: QueryParameters

    init(_ request: Request) async throws {
        target = QueryParameters(request.uri.query)
        let named = HTTPField.Name("X-Scope-OrgID").flatMap { request.headers[$0] } ?? ""
        tenant = named.isEmpty ? TenantName.single : named
        if let refusal = TenantName.refusal(of: tenant) { throw LogQLFailure(400, refusal) }
        let isForm = request.headers[.contentType]?.hasPrefix("application/x-www-form-urlencoded") == true
        guard request.method == .post, isForm else {
            form = QueryParameters(nil)
            return
        }
        guard let body = try? await request.body.collect(upTo: Self.maximumFormBytes) else {
            throw LogQLFailure(413, "http: request body too large")
        }
        form = QueryParameters(String(buffer: body))
    }

    /// A parameter; those of a form come first, as in Go's programs.
    subscript(name: String) -> String? { form[name] ?? target[name] }

    /// All values of a parameter.
    func all(_ name: String) -> [String] { form.all(name) + target.all(name) }
}

/// Runs what answers a request, and makes a response of it.
enum LokiAnswer {
    private static let patienceMilliseconds: UInt64 = 250

    /// The response. A client that goes ends its query.
    static func respond(
        to request: Request, _ body: @escaping @Sendable () async throws(LogQLFailure) -> [UInt8]
    ) async throws -> Response {
        let pieces = AnswerPieces()
        let failure = FailureBox()
        let running = Task {
            do throws(LogQLFailure) {
                let bytes = try await body()
                try? await pieces.put(bytes)
            } catch {
                failure.value.withLock { $0 = error }
            }
            pieces.finish()
        }
        let stop: @Sendable () -> Void = {
            pieces.close()
            running.cancel()
        }
        var fields: HTTPFields = [.contentType: "application/json; charset=UTF-8"]
        let taken: AnswerPieces.Taken
        let soon = await withTaskCancellationHandler {
            await pieces.take(atLeast: .max, withinMilliseconds: patienceMilliseconds)
        } onCancel: {
            stop()
        }
        if let soon {
            taken = soon
        } else if request.method == .post {
            // The body is taken already, and with it the way to see that the client goes.
            taken = await pieces.take(atLeast: .max)
        } else {
            // Watching the connection costs it: it closes behind the answer.
            fields[.connection] = "close"
            taken = try await request.body.consumeWithInboundCloseHandler { _ in
                await pieces.take(atLeast: .max)
            } onInboundClosed: {
                stop()
            }
        }
        if let failure = failure.value.withLock({ $0 }) { return self.failure(failure, request) }
        if request.headers[.acceptEncoding]?.contains("gzip") == true,
            taken.bytes.count <= QueryRoutes.maximumCompressedBytes, let small = QueryRoutes.compress(taken.bytes)
        {
            fields[.contentEncoding] = "gzip"
            return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: small)))
        }
        return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: taken.bytes)))
    }

    /// Why a request failed: a plain text as Loki 3 has it, or, for who accepts JSON by name, an object with `message`.
    static func failure(_ failure: LogQLFailure, _ request: Request) -> Response {
        var fields: HTTPFields = [.contentType: "text/plain; charset=utf-8"]
        if let field = HTTPField.Name("X-Content-Type-Options") { fields[field] = "nosniff" }
        if failure.status == 503 || failure.status == 429 { fields[.retryAfter] = "1" }
        if failure.status == 413 { fields[.connection] = "close" }
        var text = failure.message
        if request.headers[.accept]?.contains("application/json") == true {
            fields[.contentType] = "application/json; charset=UTF-8"
            let message = JSONString.quoted(failure.message)
            text = "{\"code\":\(failure.status),\"status\":\"error\",\"message\":\(message)}"
        }
        return Response(
            status: HTTPResponse.Status(code: failure.status), headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private final class FailureBox: Sendable {
        let value = Mutex<LogQLFailure?>(nil)
    }
}
