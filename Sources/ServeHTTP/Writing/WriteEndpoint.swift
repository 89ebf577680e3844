import HTTPTypes
import Hummingbird
import Ingest
import NIOCore

/// What a version of the interface for writing makes of requests and of outcomes. The way between is the same for all.
protocol WriteDialect: Sendable {
    /// What the request asks for.
    func request(_ parameters: QueryParameters) throws(WriteProblem) -> WriteRequest
    /// Whether a database that is not there is created.
    var createsDatabases: Bool { get }
    /// The body of an answer that is not 204.
    func body(_ problem: WriteProblem) -> String
}

/// An answer that is not 204.
struct WriteProblem: Error, Equatable {
    var status: HTTPResponse.Status
    var text: String
    /// What a refusal consists of, if it is one of lines.
    var refusal: WriteRefusal?

    init(_ status: HTTPResponse.Status, _ text: String, refusal: WriteRefusal? = nil) {
        self.status = status
        self.text = text
        self.refusal = refusal
    }

    static let starting = WriteProblem(.serviceUnavailable, "the server is starting or stopping")
}

/// A route that takes lines.
struct WriteEndpoint<Dialect: WriteDialect>: Sendable {
    let services: HTTPServices
    let headers: InfluxHeaders
    let dialect: Dialect

    func respond(to request: Request) async throws -> Response {
        var problem: WriteProblem?
        do throws(WriteProblem) {
            try await write(request)
        } catch {
            problem = error
        }
        var fields = headers.fields(for: request)
        guard let problem else { return Response(status: .noContent, headers: fields) }
        // Field values hold no line ends.
        fields[.influxError] = String(problem.text.prefix(1_000).map { $0.isNewline ? " " : $0 })
        if problem.status == .serviceUnavailable { fields[.retryAfter] = "1" }
        if problem.status == .contentTooLarge { fields[.connection] = "close" }
        return Response(
            status: problem.status, headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(string: dialect.body(problem) + "\n")))
    }

    private func write(_ request: Request) async throws(WriteProblem) {
        guard let ingest = services.ingest else { throw .starting }
        let lines = try dialect.request(QueryParameters(request.uri.query))
        if ingest.topic(ofDatabase: lines.database) == nil {
            guard dialect.createsDatabases else { throw notFound(lines) }
            do throws(IngestError) {
                try ingest.createDatabase(lines.database)
            } catch {
                throw problem(of: error)
            }
        }
        let body = try await read(request, lines, ingest)
        switch body.withLines({ ingest.begin(lines, $0) }) {
        case .done(let outcome): try check(outcome, lines)
        case .pending(let pending): try check(await ingest.finish(pending), lines)
        }
        // Until here the body's room is taken.
        withExtendedLifetime(body) {}
    }

    private func read(
        _ request: Request, _ lines: WriteRequest, _ ingest: Ingest
    ) async throws(WriteProblem) -> WriteBody {
        do {
            return try await WriteBody.read(request, database: lines.database, ingest)
        } catch let refusal as WriteBody.Refusal {
            switch refusal {
            case .tooLarge: throw WriteProblem(.contentTooLarge, "Request Entity Too Large")
            case .busy: throw WriteProblem(.serviceUnavailable, "too many bytes are being written; try again")
            case .undecodable(let text): throw WriteProblem(.badRequest, text)
            case .unserved(let coding): throw WriteProblem(.badRequest, "unsupported content encoding \(coding)")
            }
        } catch {
            throw WriteProblem(.badRequest, "the body ended early: \(error)")
        }
    }

    private func check(_ outcome: WriteOutcome, _ lines: WriteRequest) throws(WriteProblem) {
        switch outcome {
        case .written: return
        case .refused(let refusal): throw WriteProblem(.badRequest, refusal.text, refusal: refusal)
        case .databaseNotFound: throw notFound(lines)
        case .retentionPolicyNotFound(let name):
            throw WriteProblem(.internalServerError, "retention policy not found: \(name)")
        case .busy(let text): throw WriteProblem(.serviceUnavailable, text)
        case .failed(let text): throw WriteProblem(.internalServerError, text)
        }
    }

    private func notFound(_ lines: WriteRequest) -> WriteProblem {
        WriteProblem(.notFound, "database not found: \"\(String(decoding: lines.database, as: UTF8.self))\"")
    }

    private func problem(of error: IngestError) -> WriteProblem {
        switch error.code {
        case .databaseNotFound: WriteProblem(.notFound, error.message)
        case .invalidName: WriteProblem(.badRequest, error.message)
        case .limitReached: WriteProblem(.forbidden, error.message)
        case .busy: WriteProblem(.serviceUnavailable, error.message)
        case .failed: WriteProblem(.internalServerError, error.message)
        }
    }
}
