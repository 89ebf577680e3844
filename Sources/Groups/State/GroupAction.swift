import KafkaWire
import Log

/// What a group wants done, in this order.
enum GroupAction: Sendable, Equatable {
    /// Answer the JoinGroup that came with this token. Each token is answered exactly once.
    case answerJoin(UInt64, GroupJoinAnswer)
    /// Answer the SyncGroup that came with this token. Each token is answered exactly once.
    case answerSync(UInt64, GroupSyncAnswer)
    /// Store this; then, if there is a ticket, call `stored` with it once that is durable or has failed.
    case persist(GroupSnapshot, ticket: UInt64?)
}

/// What becomes of a group once its record is durable.
enum GroupContinuation: Sendable, Equatable {
    /// The leader's assignment goes to the members.
    case assignment(generation: Int32, [String: [UInt8]])
    /// A static member came back under a new id while the group is stable: its join is answered.
    case staticReturn(StaticReturn)
}

/// A static member that came back under a new id, and how to undo that.
struct StaticReturn: Sendable, Equatable {
    let old: GroupMember
    let newID: String
    let supportsSkippingAssignment: Bool
    /// The leader's id before; what clients that know nothing of skipping are told, so that they do not assign anew.
    let leaderID: String?
}
