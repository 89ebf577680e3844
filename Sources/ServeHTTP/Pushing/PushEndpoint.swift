import Decode
import HTTPTypes
import Hummingbird
import Ingest
import NIOCore

/// A route that takes log lines. 204 without a body if all is well; else the reason as plain text:
///
/// | status | when |
/// |---|---|
/// | 400 | the body is no push; lines beyond a bound, in Loki's words; a name that is no tenant's. Good lines are written |
/// | 413 | the body has more than 25,000,000 bytes, as sent or uncompressed |
/// | 422 | a push to Loki's route without any stream |
/// | 429, `Retry-After` | too many bytes are being written; a new stream beyond the bound on streams |
/// | 503, `Retry-After` | the log does not take anything now: a full disk, a view that does not keep up; starting, stopping |
/// | 500 | the device failed |
struct PushEndpoint<Dialect: PushDialect>: Sendable {
    let services: HTTPServices
    let dialect: Dialect

    func respond(to request: Request) async throws -> Response {
        do throws(PushProblem) {
            try await push(request)
            return Response(status: .noContent)
        } catch {
            var fields: HTTPFields = [.contentType: "text/plain; charset=utf-8"]
            if error.status == .serviceUnavailable || error.status == .tooManyRequests { fields[.retryAfter] = "1" }
            if error.status == .contentTooLarge { fields[.connection] = "close" }
            return Response(
                status: error.status, headers: fields,
                body: ResponseBody(byteBuffer: ByteBuffer(string: error.text + "\n")))
        }
    }

    private static var tenantField: HTTPField.Name? { HTTPField.Name("X-Scope-OrgID") }
    /// `durable`: this push is to be answered when it is synced, whatever its streams.
    private static var deliveryField: HTTPField.Name? { HTTPField.Name("X-Millrace-Delivery") }

    private func push(_ request: Request) async throws(PushProblem) {
        guard let ingest = services.ingest else {
            throw PushProblem(.serviceUnavailable, WriteProblem.starting.text)
        }
        let named = Self.tenantField.flatMap { request.headers[$0] } ?? ""
        let tenant = named.isEmpty ? TenantName.single : named
        if let reason = TenantName.refusal(of: tenant) { throw PushProblem(.badRequest, reason) }
        let body = try await read(request, tenant, ingest)
        switch try begin(body, tenant, request, ingest) {
        case .done(let outcome): try check(outcome)
        case .pending(let pending): try check(await ingest.finish(pending))
        }
        // Until here the body's room is taken.
        withExtendedLifetime(body) {}
    }

    private func begin(
        _ body: WriteBody, _ tenant: String, _ request: Request, _ ingest: Ingest
    ) throws(PushProblem) -> Ingest.BegunPush {
        let result: Result<LinePush, PushProblem> = body.withLines { bytes in
            do throws(PushProblem) {
                return .success(try dialect.decode(bytes, of: request, now: ingest.nowNanoseconds))
            } catch {
                return .failure(error)
            }
        }
        do throws(PushProblem) {
            let push = try result.get()
            guard !dialect.demandsStreams || !push.streams.isEmpty || push.failureCount > 0 else {
                throw PushProblem(.unprocessableContent, "error at least one valid stream is required for ingestion")
            }
            let delivery = Self.deliveryField.flatMap { request.headers[$0] }
            return ingest.begin(push, tenant: tenant, isDurable: delivery == "durable")
        } catch {
            ingest.countUnreadPush(isBusy: false)
            throw error
        }
    }

    private func read(_ request: Request, _ tenant: String, _ ingest: Ingest) async throws(PushProblem) -> WriteBody {
        do {
            // A prefix that no database has: tenants and databases share the room.
            return try await WriteBody.read(
                request, database: Array("\(TopicNaming.logsPrefix)\(tenant)".utf8), codings: WriteBody.lokiCodings,
                ingest)
        } catch let refusal as WriteBody.Refusal {
            ingest.countUnreadPush(isBusy: refusal == .busy)
            switch refusal {
            case .tooLarge:
                throw PushProblem(
                    .contentTooLarge, "request body too large: the limit is \(WriteBody.maximumBytes) bytes")
            case .busy: throw PushProblem(.tooManyRequests, "too many bytes are being written; try again")
            case .undecodable(let text): throw PushProblem(.badRequest, text)
            case .unserved(let coding):
                throw PushProblem(.badRequest, "Content-Encoding \"\(coding)\" not supported")
            }
        } catch {
            throw PushProblem(.badRequest, "the body ended early: \(error)")
        }
    }

    private func check(_ outcome: PushOutcome) throws(PushProblem) {
        switch outcome {
        case .written: return
        case .refused(let refusal):
            throw PushProblem(refusal.isLimit ? .tooManyRequests : .badRequest, refusal.text)
        case .tenantRefused(let text): throw PushProblem(.badRequest, text)
        case .busy(let text): throw PushProblem(.serviceUnavailable, text)
        case .failed(let text): throw PushProblem(.internalServerError, text)
        }
    }
}
