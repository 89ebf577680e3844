import KafkaWire

/// A consumer's fetch session with one broker (KIP-227), as a pure value: a request names only what changed since the
/// last one, and the response tells only what is news.
///
/// Brokers that know no sessions, or have no room for one, answer with session 0: then every request is a full one.
struct FetchSessionState: Sendable {
    /// What a request says.
    struct Plan: Sendable, Equatable {
        var sessionID: Int32
        var epoch: Int32
        /// The partitions to name.
        var named: [FetchState.Entry]
        /// The partitions that leave the session, with the topic id that they came with.
        var forgotten: [Forgotten]
    }

    /// A partition that leaves the session.
    struct Forgotten: Sendable, Equatable {
        let partition: TopicPartition
        let topicID: Uuid
    }

    private struct Known: Sendable {
        var offset: Int64
        var topicID: Uuid
    }

    private var sessionID: Int32 = 0
    /// The epoch of the next request; 0 begins a session, and closes the one that it names.
    private var epoch: Int32 = 0
    private(set) var usesTopicIDs = false
    /// What the broker knows, once it has answered.
    private var known: [TopicPartition: Known] = [:]

    /// The next request for these partitions.
    mutating func plan(_ entries: [FetchState.Entry], ids: [String: Uuid], usesTopicIDs: Bool) -> Plan {
        // A session cannot mix names and ids.
        if usesTopicIDs != self.usesTopicIDs { epoch = 0 }
        self.usesTopicIDs = usesTopicIDs
        let wanted = Dictionary(
            uniqueKeysWithValues: entries.map { entry in
                let id = usesTopicIDs ? ids[entry.partition.topic] ?? .zero : .zero
                return (entry.partition, Known(offset: entry.offset, topicID: id))
            })
        defer { known = wanted }
        guard epoch != 0 else { return Plan(sessionID: sessionID, epoch: 0, named: entries, forgotten: []) }
        let named = entries.filter { entry in
            guard let before = known[entry.partition], let now = wanted[entry.partition] else { return true }
            return before.offset != now.offset || before.topicID != now.topicID
        }
        // A topic that was made again has another id: the partition of the old one leaves.
        let forgotten = known.filter { wanted[$0.key]?.topicID != $0.value.topicID }
            .map { Forgotten(partition: $0.key, topicID: $0.value.topicID) }
            .sorted { $0.partition < $1.partition }
        return Plan(sessionID: sessionID, epoch: epoch, named: named, forgotten: forgotten)
    }

    /// The broker has answered.
    mutating func answered(_ error: ErrorCode, sessionID: Int32) {
        switch error {
        case .none where sessionID != 0:
            epoch = epoch == .max ? 1 : epoch + 1
            self.sessionID = sessionID
        case .none, .fetchSessionIdNotFound:
            (self.sessionID, epoch) = (0, 0)
        default: epoch = 0
        }
    }

    /// The session that the broker keeps for us, or nil.
    var openSessionID: Int32? { sessionID == 0 ? nil : sessionID }

    /// Nothing is known of the last request: the next one begins anew, and closes the session.
    mutating func failed() { epoch = 0 }
}
