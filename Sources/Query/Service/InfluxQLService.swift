public import Machine

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

extension InfluxQLRequest {
    /// A statement of the request in the one form of `Printer`, with the names of parameters where their texts would
    /// stand: what a program binds may be secret.
    func loggedText(of statement: Statement, _ index: Int) -> String {
        guard !parameters.isEmpty else { return Printer.text(statement) }
        var masked: [String: BoundParameter] = [:]
        for (name, value) in parameters {
            switch value {
            case .string: masked[name] = .string("$" + name)
            case .regex: masked[name] = .regex("$" + name)
            default: masked[name] = value
            }
        }
        var parser = Parser(text, parameters: masked)
        // It parsed with the values, which are of the same kinds.
        guard let statements = try? parser.parse(), statements.indices.contains(index) else { return "" }
        return Printer.text(statements[index])
    }
}

/// Answers InfluxQL.
public struct InfluxQLService: Sendable {
    private let directory: any DatabaseDirectory
    private let administration: any SeriesAdministration
    private let running: RunningQueries
    private let clock: any Clock

    /// The bytes of an answer that are gathered before they are passed on.
    static let pieceBytes = 64 * 1024

    /// A service over some databases, whose statements count among those that run.
    public init(
        directory: any DatabaseDirectory, administration: any SeriesAdministration, running: RunningQueries,
        clock: any Clock
    ) {
        self.directory = directory
        self.administration = administration
        self.running = running
        self.clock = clock
    }

    /// Parses a request.
    ///
    /// - Throws: `syntax` with InfluxDB's words, for an answer with status 400.
    public func parse(_ request: InfluxQLRequest) throws(QueryError) -> [Statement] {
        do throws(QueryError) {
            return try statements(request)
        } catch {
            running.refuse(.influxql, error)
            throw error
        }
    }

    private func statements(_ request: InfluxQLRequest) throws(QueryError) -> [Statement] {
        guard !request.text.isEmpty else { throw QueryError(.syntax, "missing required parameter \"q\"") }
        let most = running.limits.maximumTextBytes
        guard request.text.utf8.count <= most else {
            throw QueryError(.syntax, "error parsing query: the text is longer than \(most) bytes")
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
    /// Of a task without an executor of its own, as `Task.immediate` makes it, only one SELECT that reads little is done
    /// on the caller's thread, which may be an event loop's: everything else leaves it first.
    ///
    /// - Throws: `cancelled`, or what `write` throws.
    public func run(
        _ statements: [Statement], _ request: InfluxQLRequest,
        write: ([UInt8]) async throws(QueryError) -> Void
    ) async throws(QueryError) {
        var writer = ResultWriter(request.format)
        do throws(QueryError) {
            try running.enter(.influxql)
        } catch {
            writer.begin(statement: 0)
            writer.end(error: error.message)
            writer.finish()
            return try await write(writer.take())
        }
        defer { running.leave() }
        if statements.count != 1 || !statements[0].mayBeSmall { await Task.yield() }
        for (index, statement) in statements.enumerated() {
            writer.begin(statement: index)
            let failure = try await run(statement, index, request, &writer, write)
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

    /// Runs one statement, and writes its rows.
    ///
    /// - Returns: why it failed; nil if it did not.
    private func run(
        _ statement: Statement, _ index: Int, _ request: InfluxQLRequest, _ writer: inout ResultWriter,
        _ write: ([UInt8]) async throws(QueryError) -> Void
    ) async throws(QueryError) -> String? {
        let description = QueryDescription(language: .influxql, database: request.database ?? "") {
            request.loggedText(of: statement, index)
        }
        let failure = await running.run(description) { control async throws(QueryError) in
            let runner = StatementRunner(
                directory: directory, administration: administration, request: request, control: control,
                now: clock.wallMilliseconds() &* 1_000_000)
            var pending: ResultRows?
            var failure: QueryError?
            do throws(QueryError) {
                try await runner.run(statement) { rows async throws(QueryError) in
                    try control.answer(rows: rows.count)
                    if let held = pending { writer.add(held, more: !held.isListing || held.continues) }
                    pending = rows
                    guard writer.bytes.count >= Self.pieceBytes else { return }
                    let piece = writer.take()
                    try await control.waiting { () async throws(QueryError) in try await write(piece) }
                }
            } catch {
                failure = error
            }
            if let held = pending { writer.add(held, more: failure != nil) }
            if let failure { throw failure }
        }
        if let failure, failure.code == .cancelled { throw failure }
        return failure?.message
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

extension Statement {
    /// Whether it may take no longer than waking a thread: a SELECT that names its measurements.
    fileprivate var mayBeSmall: Bool {
        guard case .select(let select) = self else { return false }
        return select.sources.allSatisfy { source in
            if case .measurement(let reference) = source { reference.regex == nil } else { false }
        }
    }
}
