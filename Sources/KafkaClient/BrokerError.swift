import KafkaWire

extension KafkaClientError {
    /// A broker's refusal, with Kafka's name for it and what usually helps.
    static func refused(_ code: ErrorCode, _ what: String, detail: String? = nil) -> KafkaClientError {
        let message = "\(what): \(code)" + ((detail ?? advice[code.rawValue]).map { " (\($0))" } ?? "")
        switch code {
        case .unknownTopicOrPartition, .unknownTopicId:
            return KafkaClientError(.unknownTopic, message, brokerCode: code.rawValue)
        case .offsetOutOfRange: return KafkaClientError(.offsetOutOfRange, message, brokerCode: code.rawValue)
        case .unsupportedVersion: return KafkaClientError(.unsupported, message, brokerCode: code.rawValue)
        default: return KafkaClientError(.refused, message, brokerCode: code.rawValue)
        }
    }

    /// Whether the same request may work a little later.
    var isRetriable: Bool {
        switch code {
        case .connection: true
        case .unknownTopic, .refused: brokerCode.map { ErrorCode(rawValue: $0).isRetriable } ?? false
        case .timedOut, .unsupported, .offsetOutOfRange, .malformed, .invalid, .bufferFull, .closed, .cancelled: false
        }
    }

    /// The next step, for the refusals that people meet.
    private static let advice: [Int16: String] = [
        3: "create it with `millrace topic create`, or check the spelling",
        10: "use smaller batches, or raise the topic's max.message.bytes",
        17: "topic names are letters, digits, '.', '_' and '-', at most 249 of them",
        36: "choose another name, or delete that topic first",
        37: "ask for at least one partition",
        19: "the cluster has fewer in-sync replicas than min.insync.replicas",
        29: "the principal lacks a right to this topic",
        35: "the broker is too old or too new for this request",
        38: "the cluster has too few brokers for this replication factor",
        76: "the broker does not know this compression: choose another",
        87: "the topic is compacted and needs keys, or the timestamp is out of range",
    ]
}

extension ErrorCode {
    /// Whether the code says that what we know about leaders or topic ids is out of date.
    var meansStaleMetadata: Bool {
        switch self {
        case .unknownTopicOrPartition, .leaderNotAvailable, .notLeaderOrFollower, .kafkaStorageError,
            .fencedLeaderEpoch, .unknownLeaderEpoch, .unknownTopicId, .inconsistentTopicId, .replicaNotAvailable:
            true
        default: false
        }
    }
}
