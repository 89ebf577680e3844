import Log

/// What is stored of a group: generation and members with their assignments, as of its last finished rebalance.
struct GroupSnapshot: Sendable, Equatable {
    struct Member: Sendable, Equatable {
        var identity: GroupMemberIdentity
        var client: GroupClient
        var rebalanceMilliseconds: Int32
        var sessionMilliseconds: Int32
        /// Metadata for the chosen protocol.
        var subscription: [UInt8]
        var assignment: [UInt8]
    }

    /// Nil for a group that never had members.
    var protocolType: String?
    var generation: Int32
    var protocolName: String?
    var leaderID: String?
    var members: [Member]

    /// About the bytes that it takes on disk.
    var sizeBytes: Int {
        members.reduce(64) { sum, member in
            let texts = member.identity.memberID.utf8.count + (member.identity.instanceID?.utf8.count ?? 0)
            let client = member.client.id.utf8.count + member.client.host.utf8.count
            return sum + 32 + texts + client + member.subscription.count + member.assignment.count
        }
    }
}
