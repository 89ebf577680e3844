import Log
import Synchronization

extension PartitionView {
    /// Announces that somebody is going to wait for what becomes of these records, with `notifyWhenApplied`: what is
    /// refused of them does not go to `rejected.<topic>`. To be called as the partition's `append` notes the offsets:
    /// later, the records may be applied already. Forgotten by a restart: then what was refused does go there.
    public func expect(_ offsets: Range<Int64>) { awaited.withLock { $0.add(offsets) } }

    /// Takes back what `expect` announced: nobody waits any more.
    public func abandon(_ offsets: Range<Int64>) { awaited.withLock { $0.remove(offsets) } }

    /// Calls `body` once, from any thread: when everything below the end of `offsets` is applied, with what was
    /// refused of these offsets; or when that will not be in time.
    ///
    /// - Parameters:
    ///   - offsets: the records that somebody wrote.
    ///   - timeoutMilliseconds: how long that may take: `.timedOut` afterwards, though they may be applied later.
    public func notifyWhenApplied(
        _ offsets: Range<Int64>, timeoutMilliseconds: Int64,
        _ body: @escaping @Sendable (Result<AppliedOutcome, ViewError>) -> Void
    ) {
        let now = now
        let (result, deadline) = core.withLock { core -> (Result<AppliedOutcome, ViewError>?, Int64?) in
            if core.isClosed { return (.failure(closed), nil) }
            if core.state.applied >= offsets.upperBound { return (.success(core.ring.outcome(of: offsets)), nil) }
            if core.state.isPaused { return (.failure(ViewError(.closed, "the view of \(label) is paused")), nil) }
            guard core.waiters.count < settings.maximumWaiters else {
                return (
                    .failure(ViewError(.limitReached, "\(core.waiters.count) writers wait for the view of \(label)")),
                    nil
                )
            }
            let (deadline, overflow) = now.addingReportingOverflow(max(0, timeoutMilliseconds))
            core.waiters.add(offsets, deadline: overflow ? .max : deadline, body)
            return (nil, overflow ? nil : deadline)
        }
        if let result { return body(result) }
        if let deadline { core.withLock { $0.applyingSeat }?.request(atMilliseconds: deadline) }
    }

    /// Waits until everything below the end of `offsets` is applied.
    ///
    /// - Returns: what was refused of these offsets.
    /// - Throws: `.timedOut`, `.limitReached`, `.closed`.
    public func waitUntilApplied(
        _ offsets: Range<Int64>, timeoutMilliseconds: Int64
    ) async throws(ViewError) -> AppliedOutcome {
        try await withCheckedContinuation { continuation in
            notifyWhenApplied(offsets, timeoutMilliseconds: timeoutMilliseconds) { continuation.resume(returning: $0) }
        }.get()
    }

    /// Lets those go whose time is over.
    ///
    /// - Returns: when the next one's is.
    func expireWaiters() -> Int64? {
        let now = now
        let (expired, next) = core.withLock { ($0.waiters.release(expiredAt: now), $0.waiters.nextDeadline) }
        for (body, result) in expired { body(result) }
        return next
    }

    var label: String { "\(topic)-\(index)" }

    var closed: ViewError { ViewError(.closed, "the view of \(label) is closed") }
}

extension PartitionView {
    /// The first offset that is not applied.
    public var applied: Int64 { core.withLock { $0.state.applied } }

    /// The first offset that no committed manifest covers: where a replay begins.
    public var covered: Int64 { core.withLock { $0.state.covered } }

    /// Goes on where the log begins, if that is later than where the view would.
    ///
    /// - Returns: the offsets that are gone; nil if none are.
    func skipGap() -> Range<Int64>? {
        let start = partition.logStartOffset
        return core.withLock { core in
            guard core.state.applied < start else { return nil }
            defer { core.state.skip(to: start) }
            return core.state.applied..<start
        }
    }
}
