import KafkaWire
import NIOCore
import Synchronization

extension ProducerDriver {
    /// Sends one request to one broker.
    func send(_ batches: [ProducerState.Outgoing], to broker: Int32, _ producer: Producer, _ cluster: Cluster) {
        do throws(KafkaClientError) {
            guard let connection = cluster.ready(broker) else {
                throw KafkaClientError(.connection, "the connection to broker \(broker) is closed")
            }
            let ids = Dictionary(
                uniqueKeysWithValues: Set(batches.map(\.topic)).map { ($0, cluster.metadata.topics[$0]?.id ?? .zero) })
            let version = try version(producer.settings, on: connection, hasIDs: !ids.values.contains(.zero))
            let ordered = batches.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
            let request = ProduceRequest(
                ordered, ids: ids, acknowledgement: producer.settings.acknowledgement,
                timeoutMilliseconds: producer.client.settings.requestTimeoutMilliseconds)
            let hasAnswer = producer.settings.acknowledgement != .none
            connection.send(
                request, version: version, attachments: ordered.map(\.bytes), hasAnswer: hasAnswer
            ) { [weak cluster] result in
                guard let cluster else { return }
                self.ended(ordered, broker: broker, result.map { ProduceAnswers($0.body, ids: ids) }, producer, cluster)
            }
            if !hasAnswer { ended(ordered, broker: broker, .success(.unasked), producer, cluster) }
        } catch {
            ended(batches, broker: broker, .failure(error), producer, cluster)
        }
    }

    private func version(
        _ settings: ProducerSettings, on connection: BrokerConnection, hasIDs: Bool
    ) throws(KafkaClientError) -> Int16 {
        let version = try connection.version(of: ProduceRequest.self, limit: hasIDs ? 13 : 12)
        if settings.compression == .zstd, version < 7 {
            throw KafkaClientError(.unsupported, "broker \(connection.address) is too old for zstd (Kafka ≥ 2.1)")
        }
        return version
    }

    /// A request is over: tells each batch its fate.
    private func ended(
        _ batches: [ProducerState.Outgoing], broker: Int32, _ result: Result<ProduceAnswers, KafkaClientError>,
        _ producer: Producer, _ cluster: Cluster
    ) {
        let now = Time.monotonicMilliseconds()
        let answers = batches.map { batch -> ProducerState.BatchAnswer in
            switch result {
            case .failure(let error): .init(outcome: error.producesAgain ? .retriable : .rejected, error: error)
            case .success(let answers):
                answers.answer(for: batch, onStale: { cluster.metadata.distrust(batch.topic) })
            }
        }
        let resolved = producer.state.withLock { state in
            state.requestEnded(broker: broker)
            return zip(batches, answers).map { batch, answer in
                state.resolve(batch.id, answer, now: now, random: .random(in: 0 ... .max))
            }
        }
        for one in resolved.flatMap(\.settled) { one.tell() }
        producer.split(resolved.compactMap(\.oversized))
        producer.scheduleDrain()
    }
}

extension KafkaClientError {
    /// Whether a produce request that failed as a whole is worth repeating.
    fileprivate var producesAgain: Bool {
        switch code {
        case .connection, .timedOut, .bufferFull: true
        default: isRetriable
        }
    }
}

/// The answers to a request, by partition.
struct ProduceAnswers {
    private var answers: [TopicPartition: ProduceResponse.PartitionProduceResponse] = [:]
    private var isUnasked = false

    /// With `acks` 0 there is no answer: what was sent counts as written.
    static var unasked: ProduceAnswers {
        var answers = ProduceAnswers()
        answers.isUnasked = true
        return answers
    }

    private init() {}

    init(_ response: ProduceResponse, ids: [String: Uuid]) {
        let names = Dictionary(ids.filter { $0.value != .zero }.map { ($0.value, $0.key) }) { first, _ in first }
        for topic in response.responses {
            let name = names[topic.topicId] ?? topic.name
            for partition in topic.partitionResponses { answers[TopicPartition(name, partition.index)] = partition }
        }
    }

    func answer(for batch: ProducerState.Outgoing, onStale: () -> Void) -> ProducerState.BatchAnswer {
        if isUnasked { return .init(outcome: .written) }
        let partition = TopicPartition(batch.topic, batch.partition)
        guard let answer = answers[partition] else {
            let error = KafkaClientError(.malformed, "the broker's answer leaves out partition \(partition)")
            return .init(outcome: .retriable, error: error)
        }
        if answer.errorCode.meansStaleMetadata { onStale() }
        let outcome = PartitionQueue.Outcome(answer.errorCode)
        if outcome == .written {
            return .init(
                outcome: .written, baseOffset: answer.baseOffset < 0 ? nil : answer.baseOffset,
                logAppendTimeMilliseconds: answer.logAppendTimeMs < 0 ? nil : answer.logAppendTimeMs)
        }
        let error = KafkaClientError.refused(
            answer.errorCode, "cannot write to partition \(partition)", detail: answer.errorMessage)
        return .init(outcome: outcome, error: error)
    }
}

extension PartitionQueue.Outcome {
    /// What Kafka's error codes mean for a batch.
    init(_ code: ErrorCode) {
        switch code {
        case .none, .duplicateSequenceNumber: self = .written
        case .outOfOrderSequenceNumber, .unknownProducerId, .invalidProducerEpoch: self = .sequenceRejected
        case .messageTooLarge: self = .tooLarge
        // Not retriable in general: the topic's id may have changed, which metadata tells.
        case .inconsistentTopicId: self = .retriable
        default: self = code.isRetriable ? .retriable : .rejected
        }
    }
}

extension ProduceRequest {
    /// A request with one batch per partition. The batches are attached when it is sent; they must be sorted by topic.
    init(
        _ batches: [ProducerState.Outgoing], ids: [String: Uuid], acknowledgement: Acknowledgement,
        timeoutMilliseconds: Int64
    ) {
        self.init()
        acks = acknowledgement.rawValue
        timeoutMs = Int32(clamping: timeoutMilliseconds)
        for batch in batches {
            var partition = PartitionProduceData()
            partition.index = batch.partition
            partition.records = .external(byteCount: batch.bytes.readableBytes)
            if topicData.last?.name != batch.topic {
                var topic = TopicProduceData()
                topic.name = batch.topic
                topic.topicId = ids[batch.topic] ?? .zero
                topicData.append(topic)
            }
            topicData[topicData.count - 1].partitionData.append(partition)
        }
    }
}
