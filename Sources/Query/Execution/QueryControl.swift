internal import Machine
internal import Series
internal import Synchronization

/// What a running statement is held to: its limits, its deadline, and whether it is still wanted; and what it has cost so
/// far. Any thread may ask.
public final class QueryControl: Sendable {
    /// What runs.
    public let description: QueryDescription
    /// The limits.
    public let limits: QueryLimits
    /// Nanoseconds of the monotonic clock.
    let beganNanoseconds: UInt64
    private let clock: any Clock
    private let deadlineNanoseconds: UInt64
    private let budget: QueryBudget
    private let cancelledFlag = Atomic(false)
    private let points = Atomic(0)
    private let bytes = Atomic(0)
    private let peakBytes = Atomic(0)
    private let series = Atomic(0)
    private let rows = Atomic(0)
    private let scannedBytes = Atomic(0)
    private let cpuNanoseconds = Atomic<UInt64>(0)
    private let waitedNanoseconds = Atomic<UInt64>(0)
    /// When the statement's own task began to compute, in CPU time of its thread.
    private let resumedNanoseconds = Atomic<UInt64>(0)
    private let noted = Mutex(Noted())

    /// What is noted seldom.
    private struct Noted: Sendable {
        var plan: QueryPlan?
        var morePlans = 0
        var scan = ScanCost()
        var (blocks, blocksSkipped, parts, threads) = (0, 0, 0, 0)
        var bound: QueryBound?
    }

    /// Begins now; what is kept counts in the budget of all too.
    init(_ description: QueryDescription, limits: QueryLimits, clock: any Clock, budget: QueryBudget) {
        self.description = description
        self.limits = limits
        self.budget = budget
        self.clock = clock
        beganNanoseconds = clock.monotonicNanoseconds()
        deadlineNanoseconds = beganNanoseconds &+ UInt64(max(0, limits.timeoutMilliseconds)) &* 1_000_000
    }

    deinit { budget.bytes.subtract(bytes.load(ordering: .relaxed), ordering: .relaxed) }

    /// Ends the statement at its next batch.
    public func cancel() { cancelledFlag.store(true, ordering: .relaxed) }

    /// The error of a bound that is reached. The first one is the reason of the statement's end.
    func reached(_ bound: QueryBound, _ message: String) -> QueryError {
        noted.withLock { $0.bound = $0.bound ?? bound }
        return QueryError(.limitReached, message)
    }

    /// The bound that was reached.
    var bound: QueryBound? { noted.withLock { $0.bound } }
}

/// Bounds.
extension QueryControl {
    /// Called once per batch.
    func check(points read: Int) throws(QueryError) {
        if cancelledFlag.load(ordering: .relaxed) || Task.isCancelled {
            throw QueryError(.cancelled, "query interrupted")
        }
        guard clock.monotonicNanoseconds() < deadlineNanoseconds else {
            throw reached(.time, "query-timeout limit exceeded")
        }
        let total = points.add(read, ordering: .relaxed).newValue
        guard total <= limits.maximumPoints else {
            throw reached(.points, "max-select-point limit exceeed: (\(total)/\(limits.maximumPoints))")
        }
        let scanned = scannedBytes.load(ordering: .relaxed)
        guard scanned <= limits.maximumScannedBytes else {
            throw reached(
                .scannedBytes, "max-select-bytes limit exceeded: (\(scanned)/\(limits.maximumScannedBytes))")
        }
    }

    /// Counts series that a scan reads.
    func count(series number: Int) throws(QueryError) {
        let total = series.add(number, ordering: .relaxed).newValue
        guard total <= limits.maximumSeries else {
            throw reached(.series, "max-select-series limit exceeded: (\(total)/\(limits.maximumSeries))")
        }
    }

    /// Counts rows that are answered.
    func answer(rows number: Int) throws(QueryError) {
        let total = rows.add(number, ordering: .relaxed).newValue
        guard total <= limits.maximumRows else {
            throw reached(.rows, "max-row-limit exceeded: (\(total)/\(limits.maximumRows))")
        }
    }

    /// Counts memory that stays until the end. What is refused is given back at once: others may still have it.
    func keep(bytes number: Int) throws(QueryError) {
        let all = budget.bytes.add(number, ordering: .relaxed).newValue
        let total = bytes.add(number, ordering: .relaxed).newValue
        guard total <= limits.maximumBytes else {
            release(bytes: number)
            throw reached(.memory, "query memory limit exceeded: (\(total)/\(limits.maximumBytes)) bytes")
        }
        guard all <= limits.maximumTotalBytes else {
            release(bytes: number)
            throw reached(
                .totalMemory, "memory limit of all queries exceeded: (\(all)/\(limits.maximumTotalBytes)) bytes")
        }
        peakBytes.max(total, ordering: .relaxed)
    }

    /// Gives memory back.
    func release(bytes number: Int) {
        bytes.subtract(number, ordering: .relaxed)
        budget.bytes.subtract(number, ordering: .relaxed)
    }

    /// Refuses too many windows.
    func check(buckets number: Int) throws(QueryError) {
        guard number <= limits.maximumBuckets else {
            throw reached(.windows, "max-select-buckets limit exceeded: (\(number)/\(limits.maximumBuckets))")
        }
    }
}

/// Costs.
extension QueryControl {
    /// Notes that a plan begins to be run by some threads.
    func note(_ plan: QueryPlan, _ scans: PointScans, threads: Int) {
        noted.withLock { noted in
            if noted.plan == nil { noted.plan = plan } else { noted.morePlans += 1 }
            noted.blocks += scans.blocks
            noted.blocksSkipped += scans.blocksSkipped
            noted.parts += scans.parts.count
            noted.threads = max(noted.threads, threads)
        }
    }

    /// Counts CPU that a task has used.
    func count(cpuNanoseconds used: UInt64) { cpuNanoseconds.add(used, ordering: .relaxed) }

    /// Counts what a task has read since it counted last; every some batches.
    func count(_ read: ScanCost) {
        scannedBytes.add(read.bytes, ordering: .relaxed)
        noted.withLock { $0.scan += read }
    }

    /// Nanoseconds of the monotonic clock.
    var nanoseconds: UInt64 { clock.monotonicNanoseconds() }

    /// The CPU time of the thread that asks.
    var threadNanoseconds: UInt64 { clock.threadNanoseconds() }

    /// From here on the statement's own task computes, until `pause`.
    func resume() { resumedNanoseconds.store(clock.threadNanoseconds(), ordering: .relaxed) }

    /// The statement's own task is about to wait for another.
    func pause() {
        let (now, began) = (clock.threadNanoseconds(), resumedNanoseconds.load(ordering: .relaxed))
        if now > began { cpuNanoseconds.add(now - began, ordering: .relaxed) }
    }

    /// Waits for others, whose CPU is not the statement's, or counts by itself.
    func elsewhere<Result>(
        _ body: () async throws(QueryError) -> Result
    ) async throws(QueryError) -> Result {
        pause()
        defer { resume() }
        return try await body()
    }

    /// Lets others have the thread, and goes on on one that is there for computing, should this be another.
    func yield() async {
        pause()
        await Task.yield()
        resume()
    }

    /// Passes a piece of the answer to a reader, who may be slow: that is not the statement's time.
    func waiting(for reader: () async throws(QueryError) -> Void) async throws(QueryError) {
        let began = clock.monotonicNanoseconds()
        defer { waitedNanoseconds.add(clock.monotonicNanoseconds() &- began, ordering: .relaxed) }
        try await elsewhere(reader)
    }

    /// What it has cost so far.
    var cost: QueryCost {
        let noted = noted.withLock { $0 }
        var cost = QueryCost()
        cost.waitedNanoseconds = waitedNanoseconds.load(ordering: .relaxed)
        cost.nanoseconds = clock.monotonicNanoseconds() &- beganNanoseconds &- cost.waitedNanoseconds
        cost.cpuNanoseconds = cpuNanoseconds.load(ordering: .relaxed)
        cost.series = series.load(ordering: .relaxed)
        cost.points = points.load(ordering: .relaxed)
        cost.rows = rows.load(ordering: .relaxed)
        cost.scan = noted.scan
        (cost.blocks, cost.blocksSkipped) = (noted.blocks, noted.blocksSkipped)
        (cost.parts, cost.threads) = (noted.parts, noted.threads)
        cost.peakBytes = peakBytes.load(ordering: .relaxed)
        return cost
    }

    /// The first plan that was run, in words, and how many others.
    var planText: String {
        let (plan, more) = noted.withLock { ($0.plan, $0.morePlans) }
        guard let plan else { return "" }
        return plan.text + (more > 0 ? "; \(more) more" : "")
    }
}

/// Counts what one task reads of one part of a scan, and lets others have its thread from time to time.
struct ScanMeter {
    /// So many batches are counted together.
    private static let batchesTogether = 16
    /// How long a task computes at a stretch: others share these threads. To ask for the CPU time of a thread costs
    /// about 1 µs, as 16 summaries do.
    private static let stretchNanoseconds: UInt64 = 1_000_000

    private let control: QueryControl
    private let scan: any PointScan
    private var counted = ScanCost()
    /// When the stretch began, by the thread's CPU and by the clock.
    private var (beganCPU, began): (UInt64, UInt64)
    private var batches = 0

    init(_ control: QueryControl, _ scan: any PointScan) {
        self.control = control
        self.scan = scan
        (beganCPU, began) = (control.threadNanoseconds, control.nanoseconds)
    }

    /// Called once per batch or summary.
    mutating func step(points: Int) async throws(QueryError) {
        try control.check(points: points)
        batches += 1
        guard batches % Self.batchesTogether == 0 else { return }
        count()
        guard control.nanoseconds &- began >= Self.stretchNanoseconds else { return }
        control.count(cpuNanoseconds: control.threadNanoseconds &- beganCPU)
        await Task.yield()
        (beganCPU, began) = (control.threadNanoseconds, control.nanoseconds)
    }

    /// Counts what is not counted yet.
    func end() {
        control.count(scan.cost - counted)
        control.count(cpuNanoseconds: control.threadNanoseconds &- beganCPU)
    }

    private mutating func count() {
        let cost = scan.cost
        control.count(cost - counted)
        counted = cost
    }
}
