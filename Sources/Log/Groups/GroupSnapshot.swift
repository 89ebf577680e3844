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
        members.reduce(64) { $0 + 128 + $1.subscription.count + $1.assignment.count }
    }
}
