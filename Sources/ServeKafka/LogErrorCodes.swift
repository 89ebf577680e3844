import KafkaWire
import Log

extension LogError {
    /// The log's errors in Kafka's codes, where the request named its topic by name.
    var kafkaCode: ErrorCode {
        switch code {
        case .unknownTopic: .unknownTopicOrPartition
        case .topicExists: .topicAlreadyExists
        case .invalidTopicName: .invalidTopicException
        case .invalidPartitions: .invalidPartitions
        case .invalidConfig: .invalidConfig
        case .limitReached: .policyViolation
        case .corruptBatch: .corruptMessage
        case .invalidRecord: .invalidRecord
        case .messageTooLarge: .messageTooLarge
        case .unsupportedFormat: .unsupportedForMessageFormat
        case .unsupportedCompression: .unsupportedCompressionType
        case .invalidTimestamp: .invalidTimestamp
        case .outOfOrderSequence: .outOfOrderSequenceNumber
        case .invalidProducerEpoch: .invalidProducerEpoch
        case .invalidTransactionState: .invalidTxnState
        case .offsetOutOfRange: .offsetOutOfRange
        case .fencedLeaderEpoch: .fencedLeaderEpoch
        case .unknownLeaderEpoch: .unknownLeaderEpoch
        // Retriable: the client tries again, and succeeds when there is space, or after the restart that recovers.
        case .noSpace, .fenced, .damaged, .closed, .storage: .kafkaStorageError
        // Retriable for produce and fetch; THROTTLING_QUOTA_EXCEEDED is for topic administration only.
        case .overloaded, .viewBehind: .notEnoughReplicas
        case .locked, .formatTooNew, .metadata: .unknownServerError
        }
    }
}
