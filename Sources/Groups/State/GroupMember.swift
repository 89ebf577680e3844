import Log

/// A member of a consumer group.
struct GroupMember: Sendable, Equatable {
    let id: String
    let instanceID: String?
    let client: GroupClient
    let protocolType: String
    /// The order of joining, which is the order of everything that is done for all members.
    var sequence: UInt64 = 0
    var sessionMilliseconds: Int32
    var rebalanceMilliseconds: Int32
    var protocols: [GroupProtocol]
    var assignment: [UInt8] = []
    /// Whether it has not seen the end of a rebalance yet: it cannot send heartbeats.
    var isNew = false
    /// The JoinGroup that waits.
    var joinToken: UInt64?
    /// The SyncGroup that waits.
    var syncToken: UInt64?
    /// When the member is gone if nothing is heard of it, in monotonic milliseconds. Nil after it passed while the
    /// member waited for the others: then the end of the rebalance sets it anew.
    var deadline: Int64?

    var isStatic: Bool { instanceID != nil }
    var identity: GroupMemberIdentity { GroupMemberIdentity(memberID: id, instanceID: instanceID) }

    /// Who waits for the others needs no heartbeat; who never joined a generation cannot send one, and is timed out so
    /// that abandoned joins do not pile up.
    var isExcusedFromHeartbeat: Bool {
        !isNew && (joinToken != nil || syncToken != nil)
    }

    func metadata(_ protocolName: String?) -> [UInt8] {
        protocols.first { $0.name == protocolName }?.metadata ?? []
    }

    /// The protocol it likes best of those that everybody supports.
    func vote(_ candidates: Set<String>) -> String? {
        protocols.first { candidates.contains($0.name) }?.name
    }
}
