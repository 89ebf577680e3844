public import Instruments
public import Machine
internal import Synchronization

/// What all queries that run take together.
final class QueryBudget: Sendable {
    /// The memory that is kept.
    let bytes = Atomic(0)
}

/// All queries that run, whatever their language: who they are, the bounds that they share, what is counted of them, and
/// which of them were slow. One for a server.
public final class RunningQueries: Sendable {
    /// The bounds.
    public let limits: QueryLimits
    private let slowNanoseconds: UInt64?
    private let clock: any Clock
    private let budget = QueryBudget()
    private let figures: QueryFigures
    private let slow: @Sendable (SlowQuery) -> Void
    private let state = Mutex(State())

    private struct State: Sendable {
        var requests = 0
        var nextID: UInt64 = 1
        var statements: [UInt64: QueryControl] = [:]
    }

    /// No queries yet.
    ///
    /// - Parameter slow: told of slow statements, on the thread that ran them.
    public init(
        settings: QuerySettings = .init(), clock: any Clock, instruments: InstrumentRegistry = .init(),
        slow: @escaping @Sendable (SlowQuery) -> Void = { _ in }
    ) {
        limits = settings.limits
        slowNanoseconds = settings.slowMilliseconds < 0 ? nil : UInt64(settings.slowMilliseconds) * 1_000_000
        self.clock = clock
        figures = QueryFigures(instruments)
        self.slow = slow
        instruments.addCollector { [weak self] in self?.write(&$0) }
    }

    /// The statements that run now, by their numbers, which are never used again.
    public var statements: [UInt64: QueryControl] { state.withLock { $0.statements } }

    /// A request was refused before any of its statements ran.
    func refuse(_ language: QueryLanguage, _ error: QueryError) {
        figures.count(language, QueryOutcome(error), nil)
    }

    /// Lets a request in. Whoever was let in leaves.
    ///
    /// - Throws: `limitReached` if as many run as may, with InfluxDB's words.
    func enter(_ language: QueryLanguage) throws(QueryError) {
        let running = state.withLock { state -> Int? in
            guard state.requests < limits.maximumQueries else { return state.requests + 1 }
            state.requests += 1
            return nil
        }
        guard let running else { return }
        figures.count(language, .limited, .queries)
        throw QueryError(
            .limitReached, "max-concurrent-queries limit exceeded(\(running), \(limits.maximumQueries))")
    }

    /// A request that was let in has ended.
    func leave() { state.withLock { $0.requests -= 1 } }

    /// Runs a statement, counts what it costs, and reports it if it was slow.
    ///
    /// - Returns: why it failed; nil if it did not.
    func run(
        _ description: QueryDescription, _ body: (QueryControl) async throws(QueryError) -> Void
    ) async -> QueryError? {
        let control = QueryControl(description, limits: limits, clock: clock, budget: budget)
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            state.statements[state.nextID] = control
            return state.nextID
        }
        control.resume()
        let failure: QueryError?
        do throws(QueryError) {
            try await body(control)
            failure = nil
        } catch {
            failure = error
        }
        control.pause()
        _ = state.withLock { $0.statements.removeValue(forKey: id) }
        end(control, failure)
        return failure
    }

    private func end(_ control: QueryControl, _ failure: QueryError?) {
        let cost = control.cost
        let outcome = QueryOutcome(failure)
        let bound = outcome == .limited ? control.bound ?? .other : nil
        let isSlow = slowNanoseconds.map { cost.nanoseconds >= $0 } ?? false
        figures.count(control.description.language, outcome, bound, cost, isSlow: isSlow)
        if isSlow { slow(SlowQuery(control, failure, bound, cost)) }
    }

    private func write(_ writer: inout ExpositionWriter) {
        let controls = statements.values
        writer.family("millrace_queries_running", help: "Statements that run, by language.", kind: .gauge)
        for language in QueryLanguage.allCases {
            writer.sample(
                controls.count { $0.description.language == language },
                labels: [Label("language", language.rawValue)])
        }
        writer.family(
            "millrace_query_oldest_seconds", help: "How long the statement runs that began first.", kind: .gauge)
        let now = clock.monotonicNanoseconds()
        writer.sample(controls.map { Int64(clamping: (now &- $0.beganNanoseconds) / 1_000_000_000) }.max() ?? 0)
        writer.family("millrace_query_memory_bytes", help: "Memory that running statements keep.", kind: .gauge)
        writer.sample(budget.bytes.load(ordering: .relaxed))
        writer.family("millrace_query_bound", help: "The bounds of all queries together.", kind: .gauge)
        writer.sample(limits.maximumQueries, labels: [Label("bound", QueryBound.queries.rawValue)])
        writer.sample(limits.maximumTotalBytes, labels: [Label("bound", QueryBound.totalMemory.rawValue)])
    }
}
