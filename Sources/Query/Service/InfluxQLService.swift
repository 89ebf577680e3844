public import Machine
internal import Synchronization

/// A request in InfluxQL.
public struct InfluxQLRequest: Sendable {
    /// The statements.
    public var text: String
    /// The database of statements that name none.
    public var database: String?
    /// The retention policy of sources that name none; nil for the database's default one.
    public var retentionPolicy: String?
    /// The values of `$name`.
    public var parameters: [String: BoundParameter] = [:]
    /// How the answer is written.
    public var format = ResultFormat()
    /// Whether the request came in a way that should only read (GET): statements that change something are then
    /// answered with a warning, as InfluxDB does.
    public var isReadOnly = false

    /// A request without parameters.
    public init(_ text: String, database: String? = nil) {
        self.text = text
        self.database = database
    }
}

/// Answers InfluxQL.
public struct InfluxQLService: Sendable {
    private let directory: any DatabaseDirectory
    private let administration: any SeriesAdministration
    private let limits: QueryLimits
    private let clock: any Clock
    private let budget = QueryBudget()

    /// The bytes of an answer that are gathered before they are passed on.
    static let pieceBytes = 64 * 1024

    /// A service over some databases.
    public init(
        directory: any DatabaseDirectory, administration: any SeriesAdministration, limits: QueryLimits = .init(),
        clock: any Clock
    ) {
        self.directory = directory
        self.administration = administration
        self.limits = limits
        self.clock = clock
    }

    /// Parses a request.
    ///
    /// - Throws: `syntax` with InfluxDB's words, for an answer with status 400.
    public func parse(_ request: InfluxQLRequest) throws(QueryError) -> [Statement] {
        guard !request.text.isEmpty else { throw QueryError(.syntax, "missing required parameter \"q\"") }
        guard request.text.utf8.count <= limits.maximumTextBytes else {
            throw QueryError(
                .syntax, "error parsing query: the text is longer than \(limits.maximumTextBytes) bytes")
        }
        var parser = Parser(request.text, parameters: request.parameters)
        do {
            return try parser.parse()
        } catch {
            throw QueryError(.syntax, "error parsing query: \(error.message)")
        }
    }

    /// The answer to a request that is wrong as a whole.
    public static func failure(_ message: String, _ format: ResultFormat) -> [UInt8] {
        ResultWriter.failure(message, format)
    }

    /// Runs statements in order and writes the answer in pieces of about 64 KiB; `write` may wait for a slow reader. The
    /// first statement that fails is the last that runs. Ends early when the task is cancelled.
    ///
    /// - Throws: `cancelled`, or what `write` throws.
    public func run(
        _ statements: [Statement], _ request: InfluxQLRequest,
        write: ([UInt8]) async throws(QueryError) -> Void
    ) async throws(QueryError) {
        var writer = ResultWriter(request.format)
        let running = budget.queries.add(1, ordering: .relaxed).newValue
        defer { budget.queries.subtract(1, ordering: .relaxed) }
        guard running <= limits.maximumQueries else {
            writer.begin(statement: 0)
            writer.end(error: "max-concurrent-queries limit exceeded(\(running), \(limits.maximumQueries))")
            writer.finish()
            return try await write(writer.take())
        }
        for (index, statement) in statements.enumerated() {
            var failure: String?
            let control = QueryControl(limits: limits, clock: clock, budget: budget)
            let runner = StatementRunner(
                directory: directory, administration: administration, request: request, control: control,
                now: clock.wallMilliseconds() &* 1_000_000)
            var pending: ResultRows?
            writer.begin(statement: index)
            do throws(QueryError) {
                try await runner.run(statement) { rows async throws(QueryError) in
                    if let held = pending { writer.add(held, more: !held.isListing || held.continues) }
                    pending = rows
                    if writer.bytes.count >= Self.pieceBytes { try await write(writer.take()) }
                }
            } catch {
                if error.code == .cancelled { throw error }
                failure = error.message
            }
            if let held = pending { writer.add(held, more: failure != nil) }
            let warning =
                request.isReadOnly && statement.changes && failure == nil
                ? "deprecated use of '\(Printer.text(statement))' in a read only context, "
                    + "please use a POST request instead"
                : nil
            if failure != nil, index + 1 < statements.count {
                finish(&writer, failed: index, of: statements.count, failure, request.format)
                break
            }
            writer.end(error: failure, warning: warning)
            if writer.bytes.count >= Self.pieceBytes { try await write(writer.take()) }
        }
        writer.finish()
        try await write(writer.take())
    }

    /// Answers for the statements that did not run. InfluxDB counts them from the failed one on, whose own error is lost
    /// where results of the same statement are united, and leaves the last one out.
    private func finish(
        _ writer: inout ResultWriter, failed: Int, of count: Int, _ failure: String?, _ format: ResultFormat
    ) {
        if format.isChunked { writer.end(error: failure) }
        for index in failed..<count - 1 {
            if format.isChunked || index > failed { writer.begin(statement: index) }
            writer.end(error: "not executed")
        }
    }
}
