import KafkaWire

/// Turns "earliest", "an hour ago" and the like into offsets, by asking the leaders of the partitions.
struct OffsetLookup: Sendable {
    let client: KafkaClient
    let committedOnly: Bool

    private static let latest: Int64 = -1
    private static let earliest: Int64 = -2

    /// Looks up every partition, or throws.
    func resolve(
        _ specs: [TopicPartition: OffsetSpec], deadline: Int64
    ) async throws(KafkaClientError) -> [TopicPartition: OffsetAndTimestamp] {
        var first: [TopicPartition: Int64] = [:]
        var ends: [TopicPartition: Int64] = [:]
        for (partition, spec) in specs {
            switch spec {
            case .offset: break
            case .earliest: first[partition] = Self.earliest
            case .latest: ends[partition] = Self.latest
            case .beforeEnd:
                first[partition] = Self.earliest
                ends[partition] = Self.latest
            case .time(let milliseconds):
                // Negative times would be read as one of the special values.
                first[partition] = max(0, milliseconds)
                ends[partition] = Self.latest
            }
        }
        // The end is asked for first, so that it never lies past what the second answer has seen.
        let foundEnds = try await query(ends, deadline: deadline)
        let foundFirst = try await query(first, deadline: deadline)
        var result: [TopicPartition: OffsetAndTimestamp] = [:]
        for (partition, spec) in specs {
            result[partition] = Self.combine(spec, first: foundFirst[partition], end: foundEnds[partition])
        }
        return result
    }

    /// What a spec means, given the answers that it needs.
    static func combine(
        _ spec: OffsetSpec, first: OffsetAndTimestamp?, end: OffsetAndTimestamp?
    ) -> OffsetAndTimestamp? {
        switch spec {
        case .offset(let offset): OffsetAndTimestamp(offset: offset, timestampMilliseconds: nil)
        case .earliest: first
        case .latest: end
        case .beforeEnd(let count):
            end.map { end in
                OffsetAndTimestamp(
                    offset: max(first?.offset ?? 0, end.offset - max(0, count)), timestampMilliseconds: nil)
            }
        case .time: first.flatMap { $0.offset >= 0 ? $0 : nil } ?? end
        }
    }

    /// Asks with Kafka's special timestamps or real ones; partitions that fail in passing are asked again.
    private func query(
        _ timestamps: [TopicPartition: Int64], deadline: Int64
    ) async throws(KafkaClientError) -> [TopicPartition: OffsetAndTimestamp] {
        var found: [TopicPartition: OffsetAndTimestamp] = [:]
        while found.count < timestamps.count {
            let missing = timestamps.filter { found[$0.key] == nil }
            let answers = try await client.retrying(until: deadline) { () async throws(KafkaClientError) in
                try await ask(missing, deadline: deadline)
            }
            found.merge(answers) { $1 }
        }
        return found
    }

    /// One round: metadata, then one request per leader. Throws unless every partition is told.
    private func ask(
        _ timestamps: [TopicPartition: Int64], deadline: Int64
    ) async throws(KafkaClientError) -> [TopicPartition: OffsetAndTimestamp] {
        var byLeader: [Int32: [TopicPartition: Int64]] = [:]
        for topic in Set(timestamps.keys.map(\.topic)).sorted() {
            let known = try await client.topic(named: topic, mayCreate: false, deadline: deadline)
            for (partition, timestamp) in timestamps where partition.topic == topic {
                guard known.partitions.indices.contains(Int(partition.partition)) else {
                    throw KafkaClientError(
                        .unknownTopic,
                        "topic \"\(topic)\" has no partition \(partition.partition) (it has \(known.partitions.count))")
                }
                guard let leader = known.partitions[Int(partition.partition)].leader else {
                    throw .refused(.leaderNotAvailable, "partition \(partition) has no leader")
                }
                byLeader[leader, default: [:]][partition] = timestamp
            }
        }
        var found: [TopicPartition: OffsetAndTimestamp] = [:]
        for (leader, wanted) in byLeader.sorted(by: { $0.key < $1.key }) {
            found.merge(try await ask(wanted, leader: leader)) { $1 }
        }
        return found
    }

    private func ask(
        _ timestamps: [TopicPartition: Int64], leader: Int32
    ) async throws(KafkaClientError) -> [TopicPartition: OffsetAndTimestamp] {
        let isolation: Int8 = committedOnly ? 1 : 0
        let response = try await client.request(to: .node(leader)) { _ in
            ListOffsetsRequest(timestamps, isolationLevel: isolation)
        }
        var found: [TopicPartition: OffsetAndTimestamp] = [:]
        for topic in response.topics {
            for answer in topic.partitions {
                let partition = TopicPartition(topic.name, answer.partitionIndex)
                guard answer.errorCode == .none else {
                    throw .refused(answer.errorCode, "cannot look up offsets of partition \(partition)")
                }
                found[partition] = OffsetAndTimestamp(
                    offset: answer.offset, timestampMilliseconds: answer.timestamp < 0 ? nil : answer.timestamp)
            }
        }
        guard timestamps.keys.allSatisfy({ found[$0] != nil }) else {
            throw KafkaClientError(.malformed, "the answer about offsets leaves out partitions")
        }
        return found
    }
}

extension ListOffsetsRequest {
    fileprivate init(_ timestamps: [TopicPartition: Int64], isolationLevel: Int8) {
        self.init()
        // -1: the request comes from a consumer, not from a replica.
        replicaId = -1
        self.isolationLevel = isolationLevel
        let byTopic = Dictionary(grouping: timestamps, by: \.key.topic).sorted { $0.key < $1.key }
        topics = byTopic.map { name, entries in
            var topic = ListOffsetsTopic()
            topic.name = name
            topic.partitions = entries.sorted { $0.key < $1.key }.map { partition, timestamp in
                var entry = ListOffsetsPartition()
                entry.partitionIndex = partition.partition
                entry.timestamp = timestamp
                return entry
            }
            return topic
        }
    }
}
