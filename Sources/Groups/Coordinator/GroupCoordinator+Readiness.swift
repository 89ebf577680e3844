public import KafkaWire
import Log

/// The topic under the groups.
extension GroupCoordinator {
    /// Whether `__consumer_offsets` exists: then nothing that is asked of groups waits for the disk.
    public var isReady: Bool { !topic.partitions.isEmpty }

    /// Creates `__consumer_offsets` if it does not exist. Waits for the disk: not to be called on an event loop.
    ///
    /// - Returns: NONE, or COORDINATOR_NOT_AVAILABLE if it cannot be created, which is reported.
    public func prepare() -> ErrorCode {
        guard !isReady else { return .none }
        do throws(LogError) {
            try topic.create()
            return .none
        } catch {
            report(.warning, "cannot create \(TopicName.consumerOffsets): \(error)")
            return .coordinatorNotAvailable
        }
    }
}
