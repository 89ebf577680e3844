public import Instruments
public import KafkaWire
public import Log
import Machine
import Synchronization

/// The consumer groups of a log: membership (the classic protocol) and committed offsets.
///
/// Any thread may call anything. Whoever waits hands over a closure, which is called exactly once: perhaps before the
/// call returns, from any thread, outside every lock; it must return quickly. Without `start()` no thread runs and no
/// time passes: a simulation calls `expireDue`, `expireOffsets` and `rewriteIfDue`.
///
/// Results are `ErrorCode`s, not `LogError`s: what may come of a request here is what Kafka's group protocol says may
/// come of it, case by case, and any table in between would repeat it. What fails in the log below becomes
/// COORDINATOR_NOT_AVAILABLE, which clients answer by trying again.
public final class GroupCoordinator: Sendable {
    /// How often groups finished a rebalance's first phase.
    public let rebalances: Counter
    /// Offsets committed and acknowledged.
    public let commits: Counter
    /// Offsets forgotten because of their age.
    public let expiredOffsets: Counter

    let log: CommitLog
    private let live: Mutex<GroupSettings>
    let topic: OffsetsTopic
    let registry = GroupRegistry()
    let timer = Monitor(GroupTimerState())
    let thread = Mutex<WorkerThread?>(nil)
    let rewritings: Mutex<[Int: GroupRewriting]> = Mutex([:])
    /// Partitions of the topic that could not be read to their end.
    private let unreadable: Mutex<Set<Int>> = Mutex([])
    /// Whether there are any: what every request asks.
    private let isPartlyUnreadable = Atomic(false)

    /// Reads all groups from `__consumer_offsets`, if that exists; members' sessions count from now.
    ///
    /// Records that do not parse are reported and passed over. If a partition cannot be read to its end, that is
    /// reported, and its groups are answered with COORDINATOR_NOT_AVAILABLE until it can: to go on with what could be
    /// read would take offsets back.
    public init(log: CommitLog, settings: GroupSettings = GroupSettings()) {
        self.log = log
        live = Mutex(settings)
        rebalances = Counter()
        commits = Counter()
        expiredOffsets = Counter()
        topic = OffsetsTopic(log, settings: settings)
        // What was recovered is readable once it is synced.
        log.flushDirty()
        for (index, partition) in topic.partitions.enumerated() { load(index, partition, isFirst: true) }
    }

    /// Whether this partition's groups are not known.
    func isUnreadable(_ index: Int) -> Bool {
        isPartlyUnreadable.load(ordering: .acquiring) && unreadable.withLock { $0.contains(index) }
    }

    /// Tries again to read what could not be read. What is damaged stays so.
    func loadUnreadable() {
        guard isPartlyUnreadable.load(ordering: .acquiring) else { return }
        for (index, partition) in topic.partitions.enumerated()
        where isUnreadable(index) && partition.fenceReason == nil { load(index, partition, isFirst: false) }
    }

    private func load(_ index: Int, _ partition: Partition, isFirst: Bool) {
        var replay = GroupReplay(partition)
        do throws(LogError) {
            try replay.run()
            restore(replay)
            unreadable.withLock { _ = $0.remove(index) }
        } catch {
            unreadable.withLock { _ = $0.insert(index) }
            if isFirst { partition.report(.error, "its groups are not served: \(error)") }
        }
        isPartlyUnreadable.store(unreadable.withLock { !$0.isEmpty }, ordering: .releasing)
    }

    private func restore(_ replay: GroupReplay) {
        let now = now()
        for (id, restored) in replay.groups where !restored.isNothing {
            let group =
                restored.snapshot.map { ConsumerGroup(id: id, settings: settings, restoring: $0, now: now) }
                ?? ConsumerGroup(id: id, settings: settings)
            let handle = GroupHandle(group, partition: Int(replay.partition.index), restoring: restored)
            registry.insert(handle)
            _ = change(handle) { _, _, _ in }
        }
    }

    /// The bounds and times as they are now.
    public var settings: GroupSettings { live.withLock { $0 } }

    /// Takes other settings while it runs: they hold for every group's next request. Those of `__consumer_offsets`
    /// itself are as they were at the start.
    public func change(_ settings: GroupSettings) { live.withLock { $0 = settings } }

    /// Groups that are known, empty ones included.
    public var groupCount: Int { registry.count }

    func report(_ severity: LogEvent.Severity, _ message: String) {
        log.report(severity, message)
    }

    func now() -> Int64 { log.monotonicMilliseconds() }
    func wallNow() -> Int64 { log.machine.clock.wallMilliseconds() }

    /// What a group's client is told of a failure below.
    static func code(_ error: LogError) -> ErrorCode {
        error.code == .messageTooLarge ? .messageTooLarge : .coordinatorNotAvailable
    }
}

/// One group at a time.
extension GroupCoordinator {
    enum Lookup: Sendable {
        case handle(GroupHandle)
        case refused(ErrorCode)
    }

    /// Whether this group can be asked for anything: to be looked at before `describe` and `committedOffsets`, whose
    /// silence means that there is nothing.
    ///
    /// - Returns: NONE; INVALID_GROUP_ID beyond `maximumGroupIDBytes`; COORDINATOR_NOT_AVAILABLE after `stop()`, or as
    ///   long as its part of the log cannot be read.
    public func availability(groupID: String) -> ErrorCode {
        refusal(groupID, allowsEmpty: true) ?? .none
    }

    func refusal(_ groupID: String, allowsEmpty: Bool) -> ErrorCode? {
        if groupID.isEmpty, !allowsEmpty { return .invalidGroupId }
        if groupID.utf8.count > settings.maximumGroupIDBytes { return .invalidGroupId }
        if isUnreadable(topic.placement(of: groupID)) { return .coordinatorNotAvailable }
        return registry.isClosed ? .coordinatorNotAvailable : nil
    }

    /// The group; made if `creates`.
    func lookup(_ groupID: String, creates: Bool, missing: ErrorCode) -> Lookup {
        guard creates else { return registry.find(groupID).map(Lookup.handle) ?? .refused(missing) }
        let found = registry.find(groupID, limit: settings.maximumGroups) {
            GroupHandle(
                ConsumerGroup(id: groupID, settings: settings), partition: topic.placement(of: groupID))
        }
        switch found {
        case .group(let handle): return .handle(handle)
        case .none: return .refused(.coordinatorNotAvailable)
        case .full: return .refused(.policyViolation)
        }
    }

    /// Runs `body` on a group, does what follows, then what it left to be done outside the lock.
    ///
    /// - Returns: what `body` returned; nil if the group was removed in the meantime.
    func change<Result: Sendable>(
        _ handle: GroupHandle, _ body: (inout GroupCell, inout GroupEffects, Int64) -> Result
    ) -> Result? {
        let now = now()
        var effects = GroupEffects()
        let result = handle.cell.withLock { cell -> Result? in
            guard !cell.isRemoved else { return nil }
            cell.group.settings = settings
            let generation = cell.group.generation
            let result = body(&cell, &effects, now)
            settle(handle, &cell, &effects, now)
            if cell.group.generation != generation { rebalances.add() }
            return result
        }
        for answer in effects.answers { answer() }
        for wait in effects.waits { tellStored(wait.endOffset, wait.ticket, handle) }
        return result
    }

    /// Does what is due already, and tells the timer when to come by.
    private func settle(
        _ handle: GroupHandle, _ cell: inout GroupCell, _ effects: inout GroupEffects, _ now: Int64
    ) {
        if let deadline = cell.group.nextDeadline, deadline <= now {
            perform(cell.group.expire(now: now), handle, &cell, &effects, now)
        }
        forgetIfNothing(handle, &cell)
        guard !cell.isRemoved, let deadline = cell.group.nextDeadline, deadline < cell.scheduled else { return }
        cell.scheduled = deadline
        schedule(handle, deadline)
    }

    /// Carries out what a group wants.
    func perform(
        _ actions: [GroupAction], _ handle: GroupHandle, _ cell: inout GroupCell, _ effects: inout GroupEffects,
        _ now: Int64
    ) {
        var queue = actions[...]
        while let action = queue.popFirst() {
            switch action {
            case .answerJoin(let token, let answer):
                if let waiter = cell.joins.removeValue(forKey: token) { effects.answers.append { waiter(answer) } }
            case .answerSync(let token, let answer):
                if let waiter = cell.syncs.removeValue(forKey: token) { effects.answers.append { waiter(answer) } }
            case .persist(let snapshot, let ticket):
                do {
                    let endOffset = try store(snapshot, handle, &cell)
                    if let ticket { effects.waits.append((endOffset, ticket)) }
                } catch {
                    report(.warning, "cannot store group \"\(handle.id)\": \(error)")
                    if let ticket { queue += cell.group.stored(ticket, Self.code(error), now: now) }
                }
            }
        }
    }

    private func store(
        _ snapshot: GroupSnapshot, _ handle: GroupHandle, _ cell: inout GroupCell
    ) throws(LogError) -> Int64 {
        let wall = wallNow()
        // Set even if storing fails: then memory knows better than the disk.
        cell.emptySince = snapshot.members.isEmpty ? wall : nil
        let value = GroupRecord.groupValue(snapshot, stateMilliseconds: wall)
        let record = OffsetsTopic.Record(key: GroupRecord.groupKey(handle.id), value: value)
        let result = try topic.append([record], to: handle.partition, .now)
        cell.storedValue = value
        return result.endOffset
    }

    private func tellStored(_ endOffset: Int64, _ ticket: UInt64, _ handle: GroupHandle) {
        whenSynced(handle, endOffset) { [self] error in
            _ = change(handle) { cell, effects, now in
                let code = error.map(Self.code) ?? .none
                perform(cell.group.stored(ticket, code, now: now), handle, &cell, &effects, now)
            }
        }
    }

    /// Calls `body` once the group's partition is synced up to `endOffset`, or never will be. No lock may be held.
    func whenSynced(_ handle: GroupHandle, _ endOffset: Int64, _ body: @escaping @Sendable (LogError?) -> Void) {
        guard let partition = topic.partition(handle.partition) else {
            return body(LogError(.unknownTopic, "\(TopicName.consumerOffsets) is gone"))
        }
        if !partition.notifyWhenSynced(upTo: endOffset, GroupSyncWaiter(body)) { body(nil) }
    }
}

/// A closure that waits for a sync.
private final class GroupSyncWaiter: SyncWaiter {
    private let body: @Sendable (LogError?) -> Void

    init(_ body: @escaping @Sendable (LogError?) -> Void) { self.body = body }

    func synced(_ error: LogError?) { body(error) }
}
