import KafkaWire

/// What one client was told of the partitions that it reads (KIP-227): it names only what changed since its last
/// request, and is told only what changed since the last response.
///
/// A synchronous value; it knows neither the log nor time. The rules are those of Kafka 4.3's `FetchSession`.
struct FetchSession: Sendable {
    /// Whether its requests name topics by id, as those from version 13 on do. One session cannot mix the two.
    let usesTopicIDs: Bool
    /// The epoch that the next request must carry. While a request is answered, it is the one after that request's.
    private(set) var epoch: Int32 = 1
    private var partitions = SessionPartitions()

    /// Where a partition is kept, until the next request is taken.
    typealias Place = SessionPartitions.Place

    /// The number of partitions.
    var count: Int { partitions.count }

    /// A session without partitions.
    init(usesTopicIDs: Bool) {
        self.usesTopicIDs = usesTopicIDs
    }

    /// Begins with what a full request asked for and was told.
    mutating func begin(_ request: FetchRequest, _ response: FetchResponse) {
        for (asked, answered) in zip(request.topics, response.responses) {
            let topic = FetchedTopic(name: asked.topic, id: asked.topicId)
            for (part, answer) in zip(asked.partitions, answered.partitions) {
                if let place = partitions.place(of: topic, part.partition) {
                    partitions[place].asked = part
                    continue
                }
                var partition = SessionPartition(topic, part)
                partition.toldHighWatermark = answer.highWatermark
                partition.toldLogStartOffset = answer.logStartOffset
                partitions.append(partition)
            }
        }
    }

    /// Takes an incremental request: what it adds, changes and, after that, forgets.
    ///
    /// - Returns: why it is refused; then nothing has changed.
    mutating func take(_ request: FetchRequest, version: Int16) -> ErrorCode? {
        guard request.sessionEpoch == epoch else { return .invalidFetchSessionEpoch }
        guard usesTopicIDs == (version >= 13) else { return .fetchSessionTopicIdError }
        for asked in request.topics {
            let topic = FetchedTopic(name: asked.topic, id: asked.topicId)
            for part in asked.partitions {
                if let place = partitions.place(of: topic, part.partition) {
                    partitions[place].asked = part
                } else {
                    partitions.append(SessionPartition(topic, part))
                }
            }
        }
        for forgotten in request.forgottenTopicsData {
            let topic = FetchedTopic(name: forgotten.topic, id: forgotten.topicId)
            for partition in forgotten.partitions { partitions.remove(topic, partition) }
        }
        partitions.shrinkIfSparse()
        epoch = Self.epoch(after: epoch)
        return nil
    }

    /// The epoch that follows another; 0 would begin a session.
    static func epoch(after epoch: Int32) -> Int32 { epoch == .max ? 1 : epoch + 1 }

    /// Visits every partition, in the order in which they are served.
    mutating func forEach(_ body: (Place, inout SessionPartition) -> Void) { partitions.forEach(body) }

    /// Notes what a response tells of a partition. One that had records is served after all others next time, so that
    /// the size limit of a response does not favour those in front.
    mutating func tell(_ answer: FetchResponse.PartitionData, at place: Place) {
        // After an error the partition is told of as soon as the error is over.
        partitions[place].toldHighWatermark = answer.errorCode == .none ? answer.highWatermark : -1
        partitions[place].toldLogStartOffset = answer.logStartOffset
        if answer.records.byteCount > 0 { partitions.moveToEnd(place) }
    }
}

extension SessionPartition {
    /// Whether this is news for the client: records, an error, or another end of the log.
    func isNews(_ answer: FetchResponse.PartitionData) -> Bool {
        answer.records.byteCount > 0 || answer.errorCode != .none || answer.highWatermark != toldHighWatermark
            || answer.logStartOffset != toldLogStartOffset
    }
}
