import Instruments
import KafkaWire

/// What a topic's partitions need to know of it.
struct TopicIdentity: Sendable {
    let id: Uuid
    let name: String
    let configuration: LiveConfiguration
    /// `DATA/log/<topic>`.
    let directory: String
    let statistics: TopicStatistics
}
