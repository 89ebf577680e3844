/// An error code of Kafka's protocol (https://kafka.apache.org/protocol#protocol_error_codes).
///
/// A code that is not listed here, from a newer broker, keeps its number and is named `UNKNOWN_<number>`.
public struct ErrorCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number on the wire.
    public var rawValue: Int16

    /// Wraps a number from the wire.
    @inlinable
    public init(rawValue: Int16) { self.rawValue = rawValue }

    @inlinable
    init(_ rawValue: Int16) { self.rawValue = rawValue }

    /// Kafka's name, such as `UNKNOWN_TOPIC_OR_PARTITION`.
    public var name: String { ErrorCode.entry(rawValue)?.name.description ?? "UNKNOWN_\(rawValue)" }

    /// Whether Kafka's clients try again after it.
    public var isRetriable: Bool { ErrorCode.entry(rawValue)?.isRetriable ?? false }

    /// The name.
    public var description: String { name }

    private static func entry(_ code: Int16) -> (name: StaticString, isRetriable: Bool)? {
        let index = Int(code) + 1
        return entries.indices.contains(index) ? entries[index] : nil
    }
}

extension ErrorCode {
    /// UNKNOWN_SERVER_ERROR (-1).
    @inlinable public static var unknownServerError: ErrorCode { ErrorCode(-1) }
    /// NONE (0).
    @inlinable public static var none: ErrorCode { ErrorCode(0) }
    /// OFFSET_OUT_OF_RANGE (1).
    @inlinable public static var offsetOutOfRange: ErrorCode { ErrorCode(1) }
    /// CORRUPT_MESSAGE (2), retriable.
    @inlinable public static var corruptMessage: ErrorCode { ErrorCode(2) }
    /// UNKNOWN_TOPIC_OR_PARTITION (3), retriable.
    @inlinable public static var unknownTopicOrPartition: ErrorCode { ErrorCode(3) }
    /// INVALID_FETCH_SIZE (4).
    @inlinable public static var invalidFetchSize: ErrorCode { ErrorCode(4) }
    /// LEADER_NOT_AVAILABLE (5), retriable.
    @inlinable public static var leaderNotAvailable: ErrorCode { ErrorCode(5) }
    /// NOT_LEADER_OR_FOLLOWER (6), retriable.
    @inlinable public static var notLeaderOrFollower: ErrorCode { ErrorCode(6) }
    /// REQUEST_TIMED_OUT (7), retriable.
    @inlinable public static var requestTimedOut: ErrorCode { ErrorCode(7) }
    /// BROKER_NOT_AVAILABLE (8).
    @inlinable public static var brokerNotAvailable: ErrorCode { ErrorCode(8) }
    /// REPLICA_NOT_AVAILABLE (9), retriable.
    @inlinable public static var replicaNotAvailable: ErrorCode { ErrorCode(9) }
    /// MESSAGE_TOO_LARGE (10).
    @inlinable public static var messageTooLarge: ErrorCode { ErrorCode(10) }
    /// STALE_CONTROLLER_EPOCH (11).
    @inlinable public static var staleControllerEpoch: ErrorCode { ErrorCode(11) }
    /// OFFSET_METADATA_TOO_LARGE (12).
    @inlinable public static var offsetMetadataTooLarge: ErrorCode { ErrorCode(12) }
    /// NETWORK_EXCEPTION (13), retriable.
    @inlinable public static var networkException: ErrorCode { ErrorCode(13) }
    /// COORDINATOR_LOAD_IN_PROGRESS (14), retriable.
    @inlinable public static var coordinatorLoadInProgress: ErrorCode { ErrorCode(14) }
    /// COORDINATOR_NOT_AVAILABLE (15), retriable.
    @inlinable public static var coordinatorNotAvailable: ErrorCode { ErrorCode(15) }
    /// NOT_COORDINATOR (16), retriable.
    @inlinable public static var notCoordinator: ErrorCode { ErrorCode(16) }
    /// INVALID_TOPIC_EXCEPTION (17).
    @inlinable public static var invalidTopicException: ErrorCode { ErrorCode(17) }
    /// RECORD_LIST_TOO_LARGE (18).
    @inlinable public static var recordListTooLarge: ErrorCode { ErrorCode(18) }
    /// NOT_ENOUGH_REPLICAS (19), retriable.
    @inlinable public static var notEnoughReplicas: ErrorCode { ErrorCode(19) }
    /// NOT_ENOUGH_REPLICAS_AFTER_APPEND (20), retriable.
    @inlinable public static var notEnoughReplicasAfterAppend: ErrorCode { ErrorCode(20) }
    /// INVALID_REQUIRED_ACKS (21).
    @inlinable public static var invalidRequiredAcks: ErrorCode { ErrorCode(21) }
    /// ILLEGAL_GENERATION (22).
    @inlinable public static var illegalGeneration: ErrorCode { ErrorCode(22) }
    /// INCONSISTENT_GROUP_PROTOCOL (23).
    @inlinable public static var inconsistentGroupProtocol: ErrorCode { ErrorCode(23) }
    /// INVALID_GROUP_ID (24).
    @inlinable public static var invalidGroupId: ErrorCode { ErrorCode(24) }
    /// UNKNOWN_MEMBER_ID (25).
    @inlinable public static var unknownMemberId: ErrorCode { ErrorCode(25) }
    /// INVALID_SESSION_TIMEOUT (26).
    @inlinable public static var invalidSessionTimeout: ErrorCode { ErrorCode(26) }
    /// REBALANCE_IN_PROGRESS (27).
    @inlinable public static var rebalanceInProgress: ErrorCode { ErrorCode(27) }
    /// INVALID_COMMIT_OFFSET_SIZE (28).
    @inlinable public static var invalidCommitOffsetSize: ErrorCode { ErrorCode(28) }
    /// TOPIC_AUTHORIZATION_FAILED (29).
    @inlinable public static var topicAuthorizationFailed: ErrorCode { ErrorCode(29) }
    /// GROUP_AUTHORIZATION_FAILED (30).
    @inlinable public static var groupAuthorizationFailed: ErrorCode { ErrorCode(30) }
    /// CLUSTER_AUTHORIZATION_FAILED (31).
    @inlinable public static var clusterAuthorizationFailed: ErrorCode { ErrorCode(31) }
    /// INVALID_TIMESTAMP (32).
    @inlinable public static var invalidTimestamp: ErrorCode { ErrorCode(32) }
    /// UNSUPPORTED_SASL_MECHANISM (33).
    @inlinable public static var unsupportedSaslMechanism: ErrorCode { ErrorCode(33) }
    /// ILLEGAL_SASL_STATE (34).
    @inlinable public static var illegalSaslState: ErrorCode { ErrorCode(34) }
    /// UNSUPPORTED_VERSION (35).
    @inlinable public static var unsupportedVersion: ErrorCode { ErrorCode(35) }
    /// TOPIC_ALREADY_EXISTS (36).
    @inlinable public static var topicAlreadyExists: ErrorCode { ErrorCode(36) }
    /// INVALID_PARTITIONS (37).
    @inlinable public static var invalidPartitions: ErrorCode { ErrorCode(37) }
    /// INVALID_REPLICATION_FACTOR (38).
    @inlinable public static var invalidReplicationFactor: ErrorCode { ErrorCode(38) }
    /// INVALID_REPLICATION_ASSIGNMENT (39).
    @inlinable public static var invalidReplicationAssignment: ErrorCode { ErrorCode(39) }
    /// INVALID_CONFIG (40).
    @inlinable public static var invalidConfig: ErrorCode { ErrorCode(40) }
    /// NOT_CONTROLLER (41), retriable.
    @inlinable public static var notController: ErrorCode { ErrorCode(41) }
    /// INVALID_REQUEST (42).
    @inlinable public static var invalidRequest: ErrorCode { ErrorCode(42) }
    /// UNSUPPORTED_FOR_MESSAGE_FORMAT (43).
    @inlinable public static var unsupportedForMessageFormat: ErrorCode { ErrorCode(43) }
    /// POLICY_VIOLATION (44).
    @inlinable public static var policyViolation: ErrorCode { ErrorCode(44) }
    /// OUT_OF_ORDER_SEQUENCE_NUMBER (45).
    @inlinable public static var outOfOrderSequenceNumber: ErrorCode { ErrorCode(45) }
    /// DUPLICATE_SEQUENCE_NUMBER (46).
    @inlinable public static var duplicateSequenceNumber: ErrorCode { ErrorCode(46) }
    /// INVALID_PRODUCER_EPOCH (47).
    @inlinable public static var invalidProducerEpoch: ErrorCode { ErrorCode(47) }
    /// INVALID_TXN_STATE (48).
    @inlinable public static var invalidTxnState: ErrorCode { ErrorCode(48) }
    /// INVALID_PRODUCER_ID_MAPPING (49).
    @inlinable public static var invalidProducerIdMapping: ErrorCode { ErrorCode(49) }
    /// INVALID_TRANSACTION_TIMEOUT (50).
    @inlinable public static var invalidTransactionTimeout: ErrorCode { ErrorCode(50) }
    /// CONCURRENT_TRANSACTIONS (51), retriable.
    @inlinable public static var concurrentTransactions: ErrorCode { ErrorCode(51) }
    /// TRANSACTION_COORDINATOR_FENCED (52).
    @inlinable public static var transactionCoordinatorFenced: ErrorCode { ErrorCode(52) }
    /// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53).
    @inlinable public static var transactionalIdAuthorizationFailed: ErrorCode { ErrorCode(53) }
    /// SECURITY_DISABLED (54).
    @inlinable public static var securityDisabled: ErrorCode { ErrorCode(54) }
    /// OPERATION_NOT_ATTEMPTED (55).
    @inlinable public static var operationNotAttempted: ErrorCode { ErrorCode(55) }
    /// KAFKA_STORAGE_ERROR (56), retriable.
    @inlinable public static var kafkaStorageError: ErrorCode { ErrorCode(56) }
    /// LOG_DIR_NOT_FOUND (57).
    @inlinable public static var logDirNotFound: ErrorCode { ErrorCode(57) }
    /// SASL_AUTHENTICATION_FAILED (58).
    @inlinable public static var saslAuthenticationFailed: ErrorCode { ErrorCode(58) }
    /// UNKNOWN_PRODUCER_ID (59).
    @inlinable public static var unknownProducerId: ErrorCode { ErrorCode(59) }
    /// REASSIGNMENT_IN_PROGRESS (60).
    @inlinable public static var reassignmentInProgress: ErrorCode { ErrorCode(60) }
    /// DELEGATION_TOKEN_AUTH_DISABLED (61).
    @inlinable public static var delegationTokenAuthDisabled: ErrorCode { ErrorCode(61) }
    /// DELEGATION_TOKEN_NOT_FOUND (62).
    @inlinable public static var delegationTokenNotFound: ErrorCode { ErrorCode(62) }
    /// DELEGATION_TOKEN_OWNER_MISMATCH (63).
    @inlinable public static var delegationTokenOwnerMismatch: ErrorCode { ErrorCode(63) }
    /// DELEGATION_TOKEN_REQUEST_NOT_ALLOWED (64).
    @inlinable public static var delegationTokenRequestNotAllowed: ErrorCode { ErrorCode(64) }
    /// DELEGATION_TOKEN_AUTHORIZATION_FAILED (65).
    @inlinable public static var delegationTokenAuthorizationFailed: ErrorCode { ErrorCode(65) }
    /// DELEGATION_TOKEN_EXPIRED (66).
    @inlinable public static var delegationTokenExpired: ErrorCode { ErrorCode(66) }
    /// INVALID_PRINCIPAL_TYPE (67).
    @inlinable public static var invalidPrincipalType: ErrorCode { ErrorCode(67) }
    /// NON_EMPTY_GROUP (68).
    @inlinable public static var nonEmptyGroup: ErrorCode { ErrorCode(68) }
    /// GROUP_ID_NOT_FOUND (69).
    @inlinable public static var groupIdNotFound: ErrorCode { ErrorCode(69) }
    /// FETCH_SESSION_ID_NOT_FOUND (70), retriable.
    @inlinable public static var fetchSessionIdNotFound: ErrorCode { ErrorCode(70) }
    /// INVALID_FETCH_SESSION_EPOCH (71), retriable.
    @inlinable public static var invalidFetchSessionEpoch: ErrorCode { ErrorCode(71) }
    /// LISTENER_NOT_FOUND (72), retriable.
    @inlinable public static var listenerNotFound: ErrorCode { ErrorCode(72) }
    /// TOPIC_DELETION_DISABLED (73).
    @inlinable public static var topicDeletionDisabled: ErrorCode { ErrorCode(73) }
    /// FENCED_LEADER_EPOCH (74), retriable.
    @inlinable public static var fencedLeaderEpoch: ErrorCode { ErrorCode(74) }
    /// UNKNOWN_LEADER_EPOCH (75), retriable.
    @inlinable public static var unknownLeaderEpoch: ErrorCode { ErrorCode(75) }
    /// UNSUPPORTED_COMPRESSION_TYPE (76).
    @inlinable public static var unsupportedCompressionType: ErrorCode { ErrorCode(76) }
    /// STALE_BROKER_EPOCH (77).
    @inlinable public static var staleBrokerEpoch: ErrorCode { ErrorCode(77) }
    /// OFFSET_NOT_AVAILABLE (78), retriable.
    @inlinable public static var offsetNotAvailable: ErrorCode { ErrorCode(78) }
    /// MEMBER_ID_REQUIRED (79).
    @inlinable public static var memberIdRequired: ErrorCode { ErrorCode(79) }
    /// PREFERRED_LEADER_NOT_AVAILABLE (80), retriable.
    @inlinable public static var preferredLeaderNotAvailable: ErrorCode { ErrorCode(80) }
    /// GROUP_MAX_SIZE_REACHED (81).
    @inlinable public static var groupMaxSizeReached: ErrorCode { ErrorCode(81) }
    /// FENCED_INSTANCE_ID (82).
    @inlinable public static var fencedInstanceId: ErrorCode { ErrorCode(82) }
    /// ELIGIBLE_LEADERS_NOT_AVAILABLE (83), retriable.
    @inlinable public static var eligibleLeadersNotAvailable: ErrorCode { ErrorCode(83) }
    /// ELECTION_NOT_NEEDED (84), retriable.
    @inlinable public static var electionNotNeeded: ErrorCode { ErrorCode(84) }
    /// NO_REASSIGNMENT_IN_PROGRESS (85).
    @inlinable public static var noReassignmentInProgress: ErrorCode { ErrorCode(85) }
    /// GROUP_SUBSCRIBED_TO_TOPIC (86).
    @inlinable public static var groupSubscribedToTopic: ErrorCode { ErrorCode(86) }
    /// INVALID_RECORD (87).
    @inlinable public static var invalidRecord: ErrorCode { ErrorCode(87) }
    /// UNSTABLE_OFFSET_COMMIT (88), retriable.
    @inlinable public static var unstableOffsetCommit: ErrorCode { ErrorCode(88) }
    /// THROTTLING_QUOTA_EXCEEDED (89), retriable.
    @inlinable public static var throttlingQuotaExceeded: ErrorCode { ErrorCode(89) }
    /// PRODUCER_FENCED (90).
    @inlinable public static var producerFenced: ErrorCode { ErrorCode(90) }
    /// RESOURCE_NOT_FOUND (91).
    @inlinable public static var resourceNotFound: ErrorCode { ErrorCode(91) }
    /// DUPLICATE_RESOURCE (92).
    @inlinable public static var duplicateResource: ErrorCode { ErrorCode(92) }
    /// UNACCEPTABLE_CREDENTIAL (93).
    @inlinable public static var unacceptableCredential: ErrorCode { ErrorCode(93) }
    /// INCONSISTENT_VOTER_SET (94).
    @inlinable public static var inconsistentVoterSet: ErrorCode { ErrorCode(94) }
    /// INVALID_UPDATE_VERSION (95).
    @inlinable public static var invalidUpdateVersion: ErrorCode { ErrorCode(95) }
    /// FEATURE_UPDATE_FAILED (96).
    @inlinable public static var featureUpdateFailed: ErrorCode { ErrorCode(96) }
    /// PRINCIPAL_DESERIALIZATION_FAILURE (97).
    @inlinable public static var principalDeserializationFailure: ErrorCode { ErrorCode(97) }
    /// SNAPSHOT_NOT_FOUND (98).
    @inlinable public static var snapshotNotFound: ErrorCode { ErrorCode(98) }
    /// POSITION_OUT_OF_RANGE (99).
    @inlinable public static var positionOutOfRange: ErrorCode { ErrorCode(99) }
    /// UNKNOWN_TOPIC_ID (100), retriable.
    @inlinable public static var unknownTopicId: ErrorCode { ErrorCode(100) }
    /// DUPLICATE_BROKER_REGISTRATION (101).
    @inlinable public static var duplicateBrokerRegistration: ErrorCode { ErrorCode(101) }
    /// BROKER_ID_NOT_REGISTERED (102).
    @inlinable public static var brokerIdNotRegistered: ErrorCode { ErrorCode(102) }
    /// INCONSISTENT_TOPIC_ID (103), retriable.
    @inlinable public static var inconsistentTopicId: ErrorCode { ErrorCode(103) }
    /// INCONSISTENT_CLUSTER_ID (104).
    @inlinable public static var inconsistentClusterId: ErrorCode { ErrorCode(104) }
    /// TRANSACTIONAL_ID_NOT_FOUND (105).
    @inlinable public static var transactionalIdNotFound: ErrorCode { ErrorCode(105) }
    /// FETCH_SESSION_TOPIC_ID_ERROR (106), retriable.
    @inlinable public static var fetchSessionTopicIdError: ErrorCode { ErrorCode(106) }
    /// INELIGIBLE_REPLICA (107).
    @inlinable public static var ineligibleReplica: ErrorCode { ErrorCode(107) }
    /// NEW_LEADER_ELECTED (108).
    @inlinable public static var newLeaderElected: ErrorCode { ErrorCode(108) }
    /// OFFSET_MOVED_TO_TIERED_STORAGE (109).
    @inlinable public static var offsetMovedToTieredStorage: ErrorCode { ErrorCode(109) }
    /// FENCED_MEMBER_EPOCH (110).
    @inlinable public static var fencedMemberEpoch: ErrorCode { ErrorCode(110) }
    /// UNRELEASED_INSTANCE_ID (111).
    @inlinable public static var unreleasedInstanceId: ErrorCode { ErrorCode(111) }
    /// UNSUPPORTED_ASSIGNOR (112).
    @inlinable public static var unsupportedAssignor: ErrorCode { ErrorCode(112) }
    /// STALE_MEMBER_EPOCH (113).
    @inlinable public static var staleMemberEpoch: ErrorCode { ErrorCode(113) }
    /// MISMATCHED_ENDPOINT_TYPE (114).
    @inlinable public static var mismatchedEndpointType: ErrorCode { ErrorCode(114) }
    /// UNSUPPORTED_ENDPOINT_TYPE (115).
    @inlinable public static var unsupportedEndpointType: ErrorCode { ErrorCode(115) }
    /// UNKNOWN_CONTROLLER_ID (116).
    @inlinable public static var unknownControllerId: ErrorCode { ErrorCode(116) }
    /// UNKNOWN_SUBSCRIPTION_ID (117).
    @inlinable public static var unknownSubscriptionId: ErrorCode { ErrorCode(117) }
    /// TELEMETRY_TOO_LARGE (118).
    @inlinable public static var telemetryTooLarge: ErrorCode { ErrorCode(118) }
    /// INVALID_REGISTRATION (119).
    @inlinable public static var invalidRegistration: ErrorCode { ErrorCode(119) }
    /// TRANSACTION_ABORTABLE (120).
    @inlinable public static var transactionAbortable: ErrorCode { ErrorCode(120) }
    /// INVALID_RECORD_STATE (121).
    @inlinable public static var invalidRecordState: ErrorCode { ErrorCode(121) }
    /// SHARE_SESSION_NOT_FOUND (122), retriable.
    @inlinable public static var shareSessionNotFound: ErrorCode { ErrorCode(122) }
    /// INVALID_SHARE_SESSION_EPOCH (123), retriable.
    @inlinable public static var invalidShareSessionEpoch: ErrorCode { ErrorCode(123) }
    /// FENCED_STATE_EPOCH (124).
    @inlinable public static var fencedStateEpoch: ErrorCode { ErrorCode(124) }
    /// INVALID_VOTER_KEY (125).
    @inlinable public static var invalidVoterKey: ErrorCode { ErrorCode(125) }
    /// DUPLICATE_VOTER (126).
    @inlinable public static var duplicateVoter: ErrorCode { ErrorCode(126) }
    /// VOTER_NOT_FOUND (127).
    @inlinable public static var voterNotFound: ErrorCode { ErrorCode(127) }
    /// INVALID_REGULAR_EXPRESSION (128).
    @inlinable public static var invalidRegularExpression: ErrorCode { ErrorCode(128) }
    /// REBOOTSTRAP_REQUIRED (129).
    @inlinable public static var rebootstrapRequired: ErrorCode { ErrorCode(129) }
    /// STREAMS_INVALID_TOPOLOGY (130).
    @inlinable public static var streamsInvalidTopology: ErrorCode { ErrorCode(130) }
    /// STREAMS_INVALID_TOPOLOGY_EPOCH (131).
    @inlinable public static var streamsInvalidTopologyEpoch: ErrorCode { ErrorCode(131) }
    /// STREAMS_TOPOLOGY_FENCED (132).
    @inlinable public static var streamsTopologyFenced: ErrorCode { ErrorCode(132) }
    /// SHARE_SESSION_LIMIT_REACHED (133), retriable.
    @inlinable public static var shareSessionLimitReached: ErrorCode { ErrorCode(133) }
}

extension ErrorCode {
    /// Name and retriability of every code, beginning with -1.
    private static let entries: [(name: StaticString, isRetriable: Bool)] = [
        ("UNKNOWN_SERVER_ERROR", false),
        ("NONE", false),
        ("OFFSET_OUT_OF_RANGE", false),
        ("CORRUPT_MESSAGE", true),
        ("UNKNOWN_TOPIC_OR_PARTITION", true),
        ("INVALID_FETCH_SIZE", false),
        ("LEADER_NOT_AVAILABLE", true),
        ("NOT_LEADER_OR_FOLLOWER", true),
        ("REQUEST_TIMED_OUT", true),
        ("BROKER_NOT_AVAILABLE", false),
        ("REPLICA_NOT_AVAILABLE", true),
        ("MESSAGE_TOO_LARGE", false),
        ("STALE_CONTROLLER_EPOCH", false),
        ("OFFSET_METADATA_TOO_LARGE", false),
        ("NETWORK_EXCEPTION", true),
        ("COORDINATOR_LOAD_IN_PROGRESS", true),
        ("COORDINATOR_NOT_AVAILABLE", true),
        ("NOT_COORDINATOR", true),
        ("INVALID_TOPIC_EXCEPTION", false),
        ("RECORD_LIST_TOO_LARGE", false),
        ("NOT_ENOUGH_REPLICAS", true),
        ("NOT_ENOUGH_REPLICAS_AFTER_APPEND", true),
        ("INVALID_REQUIRED_ACKS", false),
        ("ILLEGAL_GENERATION", false),
        ("INCONSISTENT_GROUP_PROTOCOL", false),
        ("INVALID_GROUP_ID", false),
        ("UNKNOWN_MEMBER_ID", false),
        ("INVALID_SESSION_TIMEOUT", false),
        ("REBALANCE_IN_PROGRESS", false),
        ("INVALID_COMMIT_OFFSET_SIZE", false),
        ("TOPIC_AUTHORIZATION_FAILED", false),
        ("GROUP_AUTHORIZATION_FAILED", false),
        ("CLUSTER_AUTHORIZATION_FAILED", false),
        ("INVALID_TIMESTAMP", false),
        ("UNSUPPORTED_SASL_MECHANISM", false),
        ("ILLEGAL_SASL_STATE", false),
        ("UNSUPPORTED_VERSION", false),
        ("TOPIC_ALREADY_EXISTS", false),
        ("INVALID_PARTITIONS", false),
        ("INVALID_REPLICATION_FACTOR", false),
        ("INVALID_REPLICATION_ASSIGNMENT", false),
        ("INVALID_CONFIG", false),
        ("NOT_CONTROLLER", true),
        ("INVALID_REQUEST", false),
        ("UNSUPPORTED_FOR_MESSAGE_FORMAT", false),
        ("POLICY_VIOLATION", false),
        ("OUT_OF_ORDER_SEQUENCE_NUMBER", false),
        ("DUPLICATE_SEQUENCE_NUMBER", false),
        ("INVALID_PRODUCER_EPOCH", false),
        ("INVALID_TXN_STATE", false),
        ("INVALID_PRODUCER_ID_MAPPING", false),
        ("INVALID_TRANSACTION_TIMEOUT", false),
        ("CONCURRENT_TRANSACTIONS", true),
        ("TRANSACTION_COORDINATOR_FENCED", false),
        ("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false),
        ("SECURITY_DISABLED", false),
        ("OPERATION_NOT_ATTEMPTED", false),
        ("KAFKA_STORAGE_ERROR", true),
        ("LOG_DIR_NOT_FOUND", false),
        ("SASL_AUTHENTICATION_FAILED", false),
        ("UNKNOWN_PRODUCER_ID", false),
        ("REASSIGNMENT_IN_PROGRESS", false),
        ("DELEGATION_TOKEN_AUTH_DISABLED", false),
        ("DELEGATION_TOKEN_NOT_FOUND", false),
        ("DELEGATION_TOKEN_OWNER_MISMATCH", false),
        ("DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", false),
        ("DELEGATION_TOKEN_AUTHORIZATION_FAILED", false),
        ("DELEGATION_TOKEN_EXPIRED", false),
        ("INVALID_PRINCIPAL_TYPE", false),
        ("NON_EMPTY_GROUP", false),
        ("GROUP_ID_NOT_FOUND", false),
        ("FETCH_SESSION_ID_NOT_FOUND", true),
        ("INVALID_FETCH_SESSION_EPOCH", true),
        ("LISTENER_NOT_FOUND", true),
        ("TOPIC_DELETION_DISABLED", false),
        ("FENCED_LEADER_EPOCH", true),
        ("UNKNOWN_LEADER_EPOCH", true),
        ("UNSUPPORTED_COMPRESSION_TYPE", false),
        ("STALE_BROKER_EPOCH", false),
        ("OFFSET_NOT_AVAILABLE", true),
        ("MEMBER_ID_REQUIRED", false),
        ("PREFERRED_LEADER_NOT_AVAILABLE", true),
        ("GROUP_MAX_SIZE_REACHED", false),
        ("FENCED_INSTANCE_ID", false),
        ("ELIGIBLE_LEADERS_NOT_AVAILABLE", true),
        ("ELECTION_NOT_NEEDED", true),
        ("NO_REASSIGNMENT_IN_PROGRESS", false),
        ("GROUP_SUBSCRIBED_TO_TOPIC", false),
        ("INVALID_RECORD", false),
        ("UNSTABLE_OFFSET_COMMIT", true),
        ("THROTTLING_QUOTA_EXCEEDED", true),
        ("PRODUCER_FENCED", false),
        ("RESOURCE_NOT_FOUND", false),
        ("DUPLICATE_RESOURCE", false),
        ("UNACCEPTABLE_CREDENTIAL", false),
        ("INCONSISTENT_VOTER_SET", false),
        ("INVALID_UPDATE_VERSION", false),
        ("FEATURE_UPDATE_FAILED", false),
        ("PRINCIPAL_DESERIALIZATION_FAILURE", false),
        ("SNAPSHOT_NOT_FOUND", false),
        ("POSITION_OUT_OF_RANGE", false),
        ("UNKNOWN_TOPIC_ID", true),
        ("DUPLICATE_BROKER_REGISTRATION", false),
        ("BROKER_ID_NOT_REGISTERED", false),
        ("INCONSISTENT_TOPIC_ID", true),
        ("INCONSISTENT_CLUSTER_ID", false),
        ("TRANSACTIONAL_ID_NOT_FOUND", false),
        ("FETCH_SESSION_TOPIC_ID_ERROR", true),
        ("INELIGIBLE_REPLICA", false),
        ("NEW_LEADER_ELECTED", false),
        ("OFFSET_MOVED_TO_TIERED_STORAGE", false),
        ("FENCED_MEMBER_EPOCH", false),
        ("UNRELEASED_INSTANCE_ID", false),
        ("UNSUPPORTED_ASSIGNOR", false),
        ("STALE_MEMBER_EPOCH", false),
        ("MISMATCHED_ENDPOINT_TYPE", false),
        ("UNSUPPORTED_ENDPOINT_TYPE", false),
        ("UNKNOWN_CONTROLLER_ID", false),
        ("UNKNOWN_SUBSCRIPTION_ID", false),
        ("TELEMETRY_TOO_LARGE", false),
        ("INVALID_REGISTRATION", false),
        ("TRANSACTION_ABORTABLE", false),
        ("INVALID_RECORD_STATE", false),
        ("SHARE_SESSION_NOT_FOUND", true),
        ("INVALID_SHARE_SESSION_EPOCH", true),
        ("FENCED_STATE_EPOCH", false),
        ("INVALID_VOTER_KEY", false),
        ("DUPLICATE_VOTER", false),
        ("VOTER_NOT_FOUND", false),
        ("INVALID_REGULAR_EXPRESSION", false),
        ("REBOOTSTRAP_REQUIRED", false),
        ("STREAMS_INVALID_TOPOLOGY", false),
        ("STREAMS_INVALID_TOPOLOGY_EPOCH", false),
        ("STREAMS_TOPOLOGY_FENCED", false),
        ("SHARE_SESSION_LIMIT_REACHED", true),
    ]
}
