import KafkaWire

extension Admin {
    /// Gives a topic more partitions: `total` is how many it is to have in all. Throws with code `.refused` and Kafka's
    /// reason, for instance INVALID_PARTITIONS (37) if it has as many already. With `onlyValidating`, checks and
    /// changes nothing.
    ///
    /// Records with a key may go to other partitions afterwards than before.
    public func createPartitions(
        ofTopic name: String, total: Int32, onlyValidating: Bool = false
    ) async throws(KafkaClientError) {
        let timeout = client.settings.requestTimeoutMilliseconds
        try await onController(until: client.operationDeadline) { () async throws(KafkaClientError) in
            let response = try await client.request(to: .controller) { _ in
                var topic = CreatePartitionsRequest.CreatePartitionsTopic()
                topic.name = name
                topic.count = total
                topic.assignments = nil
                var request = CreatePartitionsRequest()
                request.topics = [topic]
                request.timeoutMs = Int32(clamping: timeout)
                request.validateOnly = onlyValidating
                return request
            }
            guard let result = response.results.first else {
                throw KafkaClientError(.malformed, "the broker's answer does not mention topic \"\(name)\"")
            }
            guard result.errorCode == .none else {
                throw .refused(
                    result.errorCode, "cannot add partitions to topic \"\(name)\"", detail: result.errorMessage)
            }
        }
        client.onLoop { $0.metadata.forget(name) }
    }

    /// Deletes the records of a partition before an offset; nil deletes all that can be read. There is no way back.
    ///
    /// - Returns: the first offset that is left.
    /// - Throws: `.offsetOutOfRange` beyond the partition's end; `.unknownTopic`.
    public func deleteRecords(
        of partition: TopicPartition, before offset: Int64?
    ) async throws(KafkaClientError) -> Int64 {
        let deadline = client.operationDeadline
        let timeout = client.settings.requestTimeoutMilliseconds
        return try await client.retrying(until: deadline) { () async throws(KafkaClientError) in
            let known = try await client.topic(named: partition.topic, mayCreate: false, deadline: deadline)
            guard known.partitions.indices.contains(Int(partition.partition)) else {
                throw KafkaClientError(
                    .unknownTopic,
                    "topic \"\(partition.topic)\" has no partition \(partition.partition) "
                        + "(it has \(known.partitions.count))")
            }
            guard let leader = known.partitions[Int(partition.partition)].leader else {
                throw .refused(.leaderNotAvailable, "partition \(partition) has no leader")
            }
            let response = try await client.request(to: .node(leader)) { _ in
                DeleteRecordsRequest(deleting: partition, before: offset ?? -1, timeoutMilliseconds: timeout)
            }
            guard let result = response.topics.first?.partitions.first else {
                throw KafkaClientError(.malformed, "the broker's answer does not mention partition \(partition)")
            }
            guard result.errorCode == .none else {
                throw .refused(result.errorCode, "cannot delete records of partition \(partition)")
            }
            return result.lowWatermark
        }
    }
}

extension DeleteRecordsRequest {
    fileprivate init(deleting partition: TopicPartition, before offset: Int64, timeoutMilliseconds: Int64) {
        self.init()
        var part = DeleteRecordsPartition()
        part.partitionIndex = partition.partition
        part.offset = offset
        var topic = DeleteRecordsTopic()
        topic.name = partition.topic
        topic.partitions = [part]
        topics = [topic]
        timeoutMs = Int32(clamping: timeoutMilliseconds)
    }
}
