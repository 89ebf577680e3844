/// Those who wait until records are applied. Bounded by `ViewSettings.maximumWaiters`.
struct ViewWaiters: Sendable {
    /// Somebody to be called, outside every lock, and with what.
    typealias Answer = (Body, Result<AppliedOutcome, ViewError>)
    typealias Body = @Sendable (Result<AppliedOutcome, ViewError>) -> Void

    private struct Waiter: Sendable {
        let offsets: Range<Int64>
        let deadline: Int64
        let body: Body
    }

    private var waiting: [Waiter] = []

    var count: Int { waiting.count }
    /// The earliest deadline, in milliseconds of the clock that does not jump.
    var nextDeadline: Int64? { waiting.lazy.map(\.deadline).min() }

    mutating func add(_ offsets: Range<Int64>, deadline: Int64, _ body: @escaping Body) {
        waiting.append(Waiter(offsets: offsets, deadline: deadline, body: body))
    }

    mutating func add(all others: ViewWaiters) { waiting += others.waiting }

    /// Takes out those whose records are applied.
    mutating func release(appliedUpTo applied: Int64, _ ring: RejectionRing) -> [Answer] {
        take({ $0.offsets.upperBound <= applied }) { .success(ring.outcome(of: $0.offsets)) }
    }

    /// Takes out those whose time is over.
    mutating func release(expiredAt now: Int64) -> [Answer] {
        take({ $0.deadline <= now }) {
            .failure(ViewError(.timedOut, "offset \($0.offsets.upperBound - 1) was not applied in time"))
        }
    }

    /// Takes out everybody.
    mutating func releaseAll(_ error: ViewError) -> [Answer] {
        take({ _ in true }) { _ in .failure(error) }
    }

    private mutating func take(
        _ isDue: (Waiter) -> Bool, _ result: (Waiter) -> Result<AppliedOutcome, ViewError>
    ) -> [Answer] {
        guard waiting.contains(where: isDue) else { return [] }
        let due = waiting.filter(isDue)
        waiting.removeAll(where: isDue)
        return due.map { ($0.body, result($0)) }
    }
}
