import Log

/// The committed offsets of one group, as a value.
///
/// Each commit is a record in the log, and becomes visible once that is synced: what a client was told never goes back,
/// whatever happens. Records are told apart, and ordered, by their offset in the log (`at`).
struct GroupOffsets: Sendable, Equatable {
    /// A value and where its record stands.
    struct Placed: Sendable, Equatable {
        var value: CommittedOffset
        var at: Int64
    }

    /// Which offsets of a group are too old.
    enum Expiry: Sendable, Equatable {
        /// None: the group is at work.
        case never
        /// Those whose last commit is too old, of topics that nobody reads.
        case sinceCommit(subscribed: Set<String>)
        /// All, if the group has been empty for too long.
        case sinceEmpty(Int64)
    }

    /// What is synced, by topic and partition.
    private(set) var committed: [String: [Int32: Placed]] = [:]
    /// The newest record of each partition that is not synced yet.
    private(set) var pending: [GroupTopicPartition: Placed] = [:]
    /// Where deletions stand in the log, as long as records from before them may still be on their way.
    private var deletions: [GroupTopicPartition: Int64] = [:]
    /// Partitions with a record that could not be synced. It may be in the log all the same, and a restart may find it:
    /// only a tombstone makes sure that there is nothing.
    private var uncertain: Set<GroupTopicPartition> = []
    /// Records that are on their way.
    private(set) var pendingCount = 0
    /// Partitions with a synced offset.
    private(set) var count = 0

    /// Whether the log certainly holds nothing.
    var isEmpty: Bool { count == 0 && pendingCount == 0 && uncertain.isEmpty }

    /// Where there is, or may be, something in the log.
    var places: Set<GroupTopicPartition> { uncertain.union(newest().keys) }

    /// The synced offset.
    func offset(_ place: GroupTopicPartition) -> CommittedOffset? {
        committed[place.topic]?[place.partition]?.value
    }

    /// Whether there is, or may be, anything, synced or not.
    func contains(_ place: GroupTopicPartition) -> Bool {
        offset(place) != nil || pending[place] != nil || uncertain.contains(place)
    }

    /// Everything as the log has it, the newest record of each partition: what a rewriting writes.
    func newest() -> [GroupTopicPartition: CommittedOffset] {
        var result: [GroupTopicPartition: CommittedOffset] = [:]
        for (topic, partitions) in committed {
            for (partition, placed) in partitions {
                result[GroupTopicPartition(topic: topic, partition: partition)] = placed.value
            }
        }
        for (place, placed) in pending { result[place] = placed.value }
        return result
    }

    /// A record was appended.
    mutating func append(_ place: GroupTopicPartition, _ value: CommittedOffset, at: Int64) {
        pending[place] = Placed(value: value, at: at)
        pendingCount += 1
    }

    /// A record that was appended is synced.
    mutating func confirm(_ place: GroupTopicPartition, _ value: CommittedOffset, at: Int64) {
        settle(place, at: at)
        guard at > deletions[place] ?? -1, at > committed[place.topic]?[place.partition]?.at ?? -1 else {
            return forgetDeletions()
        }
        set(place, value, at: at)
        forgetDeletions()
    }

    /// A record that was appended will never be synced.
    mutating func abandon(_ place: GroupTopicPartition, at: Int64) {
        settle(place, at: at)
        uncertain.insert(place)
        forgetDeletions()
    }

    private mutating func settle(_ place: GroupTopicPartition, at: Int64) {
        pendingCount -= 1
        if let newest = pending[place], newest.at <= at { pending[place] = nil }
    }

    private mutating func forgetDeletions() {
        if pendingCount == 0 { deletions = [:] }
    }

    /// A tombstone was appended.
    mutating func remove(_ place: GroupTopicPartition, at: Int64) {
        pending[place] = nil
        uncertain.remove(place)
        if pendingCount > 0 { deletions[place] = at }
        guard committed[place.topic]?.removeValue(forKey: place.partition) != nil else { return }
        count -= 1
        if committed[place.topic]?.isEmpty == true { committed[place.topic] = nil }
    }

    /// What a start found in the log.
    mutating func load(_ place: GroupTopicPartition, _ value: CommittedOffset?, at: Int64) {
        if let value { set(place, value, at: at) } else { remove(place, at: at) }
    }

    private mutating func set(_ place: GroupTopicPartition, _ value: CommittedOffset, at: Int64) {
        let old = committed[place.topic, default: [:]].updateValue(
            Placed(value: value, at: at), forKey: place.partition)
        if old == nil { count += 1 }
    }

    /// What is to be forgotten, in the order of topics and partitions. Nothing that has a commit on its way.
    func expired(_ expiry: Expiry, now: Int64, retention: Int64) -> [GroupTopicPartition] {
        guard expiry != .never else { return [] }
        var result: [GroupTopicPartition] = []
        for (topic, partitions) in committed.sorted(by: { $0.key < $1.key }) {
            if case .sinceCommit(let subscribed) = expiry, subscribed.contains(topic) { continue }
            for (partition, placed) in partitions.sorted(by: { $0.key < $1.key }) {
                let place = GroupTopicPartition(topic: topic, partition: partition)
                if pending[place] == nil, isExpired(placed.value, expiry, now, retention) { result.append(place) }
            }
        }
        return result
    }

    private func isExpired(_ value: CommittedOffset, _ expiry: Expiry, _ now: Int64, _ retention: Int64) -> Bool {
        if let expires = value.expireMilliseconds { return now >= expires }
        let since = if case .sinceEmpty(let time) = expiry { time } else { value.commitMilliseconds }
        return now - since >= retention
    }
}
