internal import Machine
internal import Synchronization

/// What all queries that run take together.
final class QueryBudget: Sendable {
    /// The memory that is kept.
    let bytes = Atomic(0)
    /// The requests that run.
    let queries = Atomic(0)
}

/// What a running statement is held to: its limits, its deadline, and whether it is still wanted. Any thread may ask.
public final class QueryControl: Sendable {
    /// The limits.
    public let limits: QueryLimits
    private let clock: any Clock
    private let deadlineNanoseconds: UInt64
    private let cancelledFlag = Atomic(false)
    private let points = Atomic(0)
    private let bytes = Atomic(0)
    private let series = Atomic(0)
    private let budget: QueryBudget

    /// Begins now; what is kept counts in the budget of all too.
    init(limits: QueryLimits, clock: any Clock, budget: QueryBudget) {
        self.limits = limits
        self.budget = budget
        self.clock = clock
        deadlineNanoseconds =
            clock.monotonicNanoseconds() &+ UInt64(max(0, limits.timeoutMilliseconds)) &* 1_000_000
    }

    deinit { budget.bytes.subtract(bytes.load(ordering: .relaxed), ordering: .relaxed) }

    /// Ends the statement at its next batch.
    public func cancel() { cancelledFlag.store(true, ordering: .relaxed) }

    /// Called once per batch.
    func check(points read: Int) throws(QueryError) {
        if cancelledFlag.load(ordering: .relaxed) || Task.isCancelled {
            throw QueryError(.cancelled, "query interrupted")
        }
        guard clock.monotonicNanoseconds() < deadlineNanoseconds else {
            throw QueryError(.limitReached, "query-timeout limit exceeded")
        }
        let total = points.add(read, ordering: .relaxed).newValue
        guard total <= limits.maximumPoints else {
            throw QueryError(
                .limitReached, "max-select-point limit exceeed: (\(total)/\(limits.maximumPoints))")
        }
    }

    /// Counts series that a scan reads.
    func count(series number: Int) throws(QueryError) {
        let total = series.add(number, ordering: .relaxed).newValue
        guard total <= limits.maximumSeries else {
            throw QueryError(
                .limitReached, "max-select-series limit exceeded: (\(total)/\(limits.maximumSeries))")
        }
    }

    /// Counts memory that stays until the end.
    func keep(bytes number: Int) throws(QueryError) {
        let all = budget.bytes.add(number, ordering: .relaxed).newValue
        let total = bytes.add(number, ordering: .relaxed).newValue
        guard total <= limits.maximumBytes else {
            throw QueryError(
                .limitReached, "query memory limit exceeded: (\(total)/\(limits.maximumBytes)) bytes")
        }
        guard all <= limits.maximumTotalBytes else {
            throw QueryError(
                .limitReached, "memory limit of all queries exceeded: (\(all)/\(limits.maximumTotalBytes)) bytes")
        }
    }

    /// Gives memory back.
    func release(bytes number: Int) {
        bytes.subtract(number, ordering: .relaxed)
        budget.bytes.subtract(number, ordering: .relaxed)
    }

    /// Refuses too many windows.
    func check(buckets number: Int) throws(QueryError) {
        guard number <= limits.maximumBuckets else {
            throw QueryError(
                .limitReached, "max-select-buckets limit exceeded: (\(number)/\(limits.maximumBuckets))")
        }
    }
}
