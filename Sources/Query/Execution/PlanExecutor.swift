public import Series
internal import Synchronization

/// Runs plans: reads the parts of a scan on several threads, and gives the groups of the result one after the other.
public struct PlanExecutor: Sendable {
    /// What may be done on the caller's thread, which may be one that many connections wait for: series and rows looked
    /// at to find what is to be read.
    static let smallEffort = 16_384
    /// The same: values read. Reading so many takes less than waking another thread for a half of them, twice.
    static let smallValues = 32_768
    /// The same: rows of a result.
    static let smallResult = 4_096

    private let source: any PointSource
    private let control: QueryControl

    /// An executor for one statement.
    public init(source: any PointSource, control: QueryControl) {
        self.source = source
        self.control = control
    }

    /// Runs a plan and calls `emit` with pieces of its result, in order. A piece holds at most `pieceRows` rows of one
    /// group; the last of a group says so.
    public func run(
        _ plan: QueryPlan, pieceRows: Int, emit: (ResultPiece) async throws(QueryError) -> Void
    ) async throws(QueryError) {
        let scans = try await scans(plan)
        let values = scans.parts.reduce(0) { $0 + $1.rowEstimate } * max(1, plan.scan.fields.count)
        let isSmall = values <= Self.smallValues
        if !isSmall { await control.yield() }
        let threads = isSmall ? 1 : max(1, min(control.limits.parallelism, scans.parts.count))
        control.note(plan, scans, threads: threads)
        switch plan.body {
        case .aggregates(let body):
            let partials = try await distribute(scans.parts, threads, make: { AggregatePartial(plan, body, control) }) {
                (partial, scan) async throws(QueryError) in try await partial.consume(scan)
            }
            for other in partials.dropFirst() { try partials[0].merge(other) }
            if isSmall, partials[0].isResultLong(than: Self.smallResult) { await control.yield() }
            var result = AggregateResult(plan, body, partials[0], control)
            while let piece = try result.next(pieceRows) { try await emit(piece) }
        case .rows(let body):
            let partials = try await distribute(scans.parts, threads, make: { RowPartial(plan, body, control) }) {
                (partial, scan) async throws(QueryError) in try await partial.consume(scan)
            }
            for other in partials.dropFirst() { partials[0].merge(other) }
            var result = RowResult(plan, partials[0])
            while let piece = result.next(pieceRows) { try await emit(piece) }
        }
    }

    private func scans(_ plan: QueryPlan) async throws(QueryError) -> PointScans {
        do {
            if let scans = try source.scan(plan.scan, effort: Self.smallEffort) { return scans }
            await control.yield()
            return try source.scan(plan.scan)
        } catch {
            throw QueryError(.execution, error.message, cause: error)
        }
    }

    /// Lets several tasks take the parts in turn, each into a partial result of its own; what is small, or one part, is
    /// read by this task. At least one comes back.
    private func distribute<Partial: Sendable>(
        _ scans: [any PointScan], _ tasks: Int, make: () -> Partial,
        consume: @escaping @Sendable (Partial, any PointScan) async throws(QueryError) -> Void
    ) async throws(QueryError) -> [Partial] {
        let partials = (0..<tasks).map { _ in make() }
        // Whoever reads a part counts its CPU.
        control.pause()
        defer { control.resume() }
        if tasks == 1 {
            // Where nothing is shared out, another task is only another thread to wake.
            for scan in scans { try await consume(partials[0], scan) }
            return partials
        }
        let turn = Turn()
        let failures = await withTaskGroup(of: QueryError?.self) { group in
            for partial in partials {
                group.addTask {
                    do throws(QueryError) {
                        while let index = turn.next(below: scans.count) { try await consume(partial, scans[index]) }
                        return nil
                    } catch {
                        control.cancel()
                        return error
                    }
                }
            }
            var failures: [QueryError] = []
            for await case let failure? in group { failures.append(failure) }
            return failures
        }
        // A failure cancels the others; theirs is not the reason.
        if let failure = failures.first(where: { $0.code != .cancelled }) ?? failures.first { throw failure }
        return partials
    }
}

/// Hands out numbers.
private final class Turn: Sendable {
    private let value = Atomic(0)

    func next(below end: Int) -> Int? {
        let index = value.add(1, ordering: .relaxed).oldValue
        return index < end ? index : nil
    }
}

/// Some rows of one group.
public struct ResultPiece: Sendable {
    /// The values of the grouping's tags.
    public var group: [[UInt8]]
    /// A time per row.
    public var times: [Int64]
    /// The columns behind the time.
    var columns: [Vector]
    /// Whether the group ends here.
    public var endsGroup: Bool
    /// Whether the result ends here.
    public var endsResult: Bool
}
