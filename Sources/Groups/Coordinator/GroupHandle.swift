import Log
import Synchronization

/// A group with its lock. Whoever holds the lock may append to the log, and ask nothing of another group.
final class GroupHandle: Sendable {
    let id: String
    /// The partition of `__consumer_offsets` that holds its records.
    let partition: Int
    let cell: Mutex<GroupCell>

    init(_ group: ConsumerGroup, partition: Int, restoring restored: RestoredGroup? = nil) {
        id = group.id
        self.partition = partition
        var cell = GroupCell(group: group)
        if let restored {
            cell.offsets = restored.offsets
            cell.storedValue = restored.value
            cell.emptySince = restored.snapshot == nil ? nil : restored.stateMilliseconds
        }
        self.cell = Mutex(cell)
    }
}

/// Everything that belongs to a group.
struct GroupCell: Sendable {
    var group: ConsumerGroup
    var offsets = GroupOffsets()
    /// Who waits, by token.
    var joins: [UInt64: @Sendable (GroupJoinAnswer) -> Void] = [:]
    var syncs: [UInt64: @Sendable (GroupSyncAnswer) -> Void] = [:]
    private var nextToken: UInt64 = 1
    /// The group's newest record in the log; nil if there is none.
    var storedValue: [UInt8]?
    /// When the stored group lost its last member, in wall milliseconds; -1 if its record does not say.
    var emptySince: Int64?
    /// When the timer comes by; no later than the group's next deadline.
    var scheduled = Int64.max
    /// Whether the group was taken out of the registry: who comes late looks there again.
    var isRemoved = false

    init(group: ConsumerGroup) {
        self.group = group
    }

    mutating func takeToken() -> UInt64 {
        defer { nextToken += 1 }
        return nextToken
    }

    /// Which offsets may go.
    var expiry: GroupOffsets.Expiry {
        guard group.protocolType != nil else { return .sinceCommit(subscribed: []) }
        switch group.state {
        case .empty:
            guard let emptySince, emptySince >= 0 else { return .sinceCommit(subscribed: []) }
            return .sinceEmpty(emptySince)
        case .stable:
            guard group.usesConsumerProtocol, let topics = group.subscribedTopics else { return .never }
            return .sinceCommit(subscribed: topics)
        case .preparingRebalance, .completingRebalance, .dead: return .never
        }
    }

    /// Whether there is nothing left to remember.
    var isForgettable: Bool {
        group.state == .empty && group.pendingMembers.isEmpty && offsets.isEmpty
    }
}

/// What is to be done once a group's lock is released.
struct GroupEffects: Sendable {
    var answers: [@Sendable () -> Void] = []
    /// Wait until the log is synced up to the offset, then tell the group.
    var waits: [(endOffset: Int64, ticket: UInt64)] = []
}
