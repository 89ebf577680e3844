public import KafkaWire
import Log

/// Who sends a request, as DescribeGroups shows it.
public struct GroupClient: Sendable, Equatable {
    /// The client's id from the request header; empty if it has none.
    public var id: String
    /// The client's address, "/127.0.0.1" in Kafka's notation.
    public var host: String

    /// Assembles it.
    public init(id: String, host: String) {
        self.id = id
        self.host = host
    }
}

/// A way to divide the work that a member offers (an assignor's name), with what the assignor wants to know.
public struct GroupProtocol: Sendable, Equatable {
    /// The name, such as "range".
    public var name: String
    /// Opaque to the server; for the type "consumer" it begins with the subscribed topics.
    public var metadata: [UInt8]

    /// Assembles it.
    public init(name: String, metadata: [UInt8]) {
        self.name = name
        self.metadata = metadata
    }
}

/// A member as a request names it. The member id is empty if it is not known.
public struct GroupMemberIdentity: Sendable, Equatable {
    /// The id that the coordinator gave out; empty if unknown.
    public var memberID: String
    /// `group.instance.id` of a static member, or nil.
    public var instanceID: String?

    /// Assembles it.
    public init(memberID: String, instanceID: String? = nil) {
        self.memberID = memberID
        self.instanceID = instanceID
    }
}

/// JoinGroup.
public struct GroupJoin: Sendable, Equatable {
    /// The group.
    public var groupID: String
    /// Who joins; an empty id asks for one.
    public var member: GroupMemberIdentity
    /// Who sends it.
    public var client: GroupClient
    /// After this long without a heartbeat the member is gone, in milliseconds.
    public var sessionMilliseconds: Int32
    /// How long the member may take to join again in a rebalance, in milliseconds. Version 0 sends none: give the
    /// session's.
    public var rebalanceMilliseconds: Int32
    /// What kind of group it is, such as "consumer" or "connect".
    public var protocolType: String
    /// What it offers, the one it likes best first.
    public var protocols: [GroupProtocol]
    /// Whether a dynamic member without id must come back with the id it is given (version 4 and later, KIP-394).
    public var requiresMemberID: Bool
    /// Whether the client understands that its assignment stands (version 9 and later, KIP-814).
    public var supportsSkippingAssignment: Bool

    /// Assembles it.
    public init(
        groupID: String, member: GroupMemberIdentity, client: GroupClient, sessionMilliseconds: Int32,
        rebalanceMilliseconds: Int32, protocolType: String, protocols: [GroupProtocol], requiresMemberID: Bool,
        supportsSkippingAssignment: Bool
    ) {
        self.groupID = groupID
        self.member = member
        self.client = client
        self.sessionMilliseconds = sessionMilliseconds
        self.rebalanceMilliseconds = rebalanceMilliseconds
        self.protocolType = protocolType
        self.protocols = protocols
        self.requiresMemberID = requiresMemberID
        self.supportsSkippingAssignment = supportsSkippingAssignment
    }
}

/// The answer to JoinGroup.
public struct GroupJoinAnswer: Sendable, Equatable {
    /// A member as its leader sees it.
    public struct Member: Sendable, Equatable {
        /// The member's id.
        public var memberID: String
        /// Its `group.instance.id`, or nil.
        public var instanceID: String?
        /// Its metadata for the chosen protocol.
        public var metadata: [UInt8]
    }

    /// NONE, MEMBER_ID_REQUIRED (with the id), or why not.
    public var error: ErrorCode
    /// The generation; -1 after an error.
    public var generation: Int32 = -1
    /// What kind of group it is; nil after an error.
    public var protocolType: String?
    /// The chosen protocol; nil after an error (before version 7: send an empty one).
    public var protocolName: String?
    /// The leader's member id; empty after an error.
    public var leaderID = ""
    /// The member's id, given out if it had none.
    public var memberID: String
    /// Whether the leader must not assign anew (version 9 and later).
    public var skipsAssignment = false
    /// All members, for the leader; empty for everybody else.
    public var members: [Member] = []

    init(_ error: ErrorCode, memberID: String) {
        self.error = error
        self.memberID = memberID
    }
}

/// SyncGroup.
public struct GroupSync: Sendable, Equatable {
    /// The group.
    public var groupID: String
    /// Who asks for its assignment.
    public var member: GroupMemberIdentity
    /// The generation it joined.
    public var generation: Int32
    /// What it believes the group's type to be; nil before version 5.
    public var protocolType: String?
    /// What it believes the chosen protocol to be; nil before version 5.
    public var protocolName: String?
    /// What the leader assigns, by member id; empty from everybody else.
    public var assignments: [String: [UInt8]]

    /// Assembles it.
    public init(
        groupID: String, member: GroupMemberIdentity, generation: Int32, protocolType: String? = nil,
        protocolName: String? = nil, assignments: [String: [UInt8]] = [:]
    ) {
        self.groupID = groupID
        self.member = member
        self.generation = generation
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.assignments = assignments
    }
}

/// The answer to SyncGroup.
public struct GroupSyncAnswer: Sendable, Equatable {
    /// NONE, or why not.
    public var error: ErrorCode
    /// What kind of group it is; nil after an error.
    public var protocolType: String?
    /// The chosen protocol; nil after an error.
    public var protocolName: String?
    /// What the member is to do; opaque to the server.
    public var assignment: [UInt8] = []

    init(_ error: ErrorCode) { self.error = error }
}

/// The answer to LeaveGroup.
public struct GroupLeaveAnswer: Sendable, Equatable {
    /// A member that was to leave, and NONE or why it did not.
    public struct Member: Sendable, Equatable {
        /// As the request named it.
        public var identity: GroupMemberIdentity
        /// NONE, UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID.
        public var error: ErrorCode
    }

    /// NONE, or why nobody left. Before version 3 the error of the single member is the answer's.
    public var error: ErrorCode
    /// In the order of the request.
    public var members: [Member] = []
}

/// A group as DescribeGroups shows it.
public struct GroupDescription: Sendable, Equatable {
    /// A member.
    public struct Member: Sendable, Equatable {
        /// Who it is.
        public var identity: GroupMemberIdentity
        /// The client that sent its first join.
        public var client: GroupClient
        /// Its metadata for the chosen protocol; empty unless the group is stable.
        public var metadata: [UInt8]
        /// Its assignment; empty unless the group is stable.
        public var assignment: [UInt8]
    }

    /// The group.
    public var groupID: String
    /// Its state.
    public var state: GroupState
    /// What kind of group it is; empty for one that only stores offsets.
    public var protocolType: String
    /// The chosen protocol; empty unless the group is stable.
    public var protocolName: String
    /// How many rebalances were completed.
    public var generation: Int32
    /// In the order in which they joined.
    public var members: [Member]
}

/// Where a group stands. The raw values are Kafka's names.
public enum GroupState: String, Sendable, CaseIterable {
    /// Without members. May hold offsets.
    case empty = "Empty"
    /// Members are to join (again).
    case preparingRebalance = "PreparingRebalance"
    /// Members wait for the leader's assignment.
    case completingRebalance = "CompletingRebalance"
    /// Everybody has an assignment.
    case stable = "Stable"
    /// Removed. Kafka's name for a group that does not exist.
    case dead = "Dead"
}
