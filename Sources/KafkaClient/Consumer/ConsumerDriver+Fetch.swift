import KafkaWire
import Logging
import NIOCore
import Synchronization

extension ConsumerDriver {
    /// Sends one request to one broker.
    func fetch(_ entries: [FetchState.Entry], from broker: Int32, _ consumer: Consumer, _ cluster: Cluster) {
        do throws(KafkaClientError) {
            guard let connection = cluster.ready(broker) else {
                throw KafkaClientError(.connection, "the connection to broker \(broker) is closed")
            }
            let names = Set(entries.map(\.partition.topic))
            let ids = Dictionary(uniqueKeysWithValues: names.map { ($0, cluster.metadata.topics[$0]?.id ?? .zero) })
            // Topic ids came with version 13; without them the version before must do.
            let version = try connection.version(of: FetchRequest.self, limit: ids.values.contains(.zero) ? 12 : .max)
            let wait = Int64(consumer.settings.maximumWaitMilliseconds)
            let deadline = Time.monotonicMilliseconds() + wait + consumer.client.settings.requestTimeoutMilliseconds
            let plan = sessions[broker, default: FetchSessionState()].plan(
                entries, ids: ids, usesTopicIDs: version >= 13)
            connection.send(
                FetchRequest(plan, ids: ids, consumer.settings), version: version, deadline: deadline
            ) { [weak cluster] result in
                switch result {
                case .success(let reply):
                    self.sessions[broker]?.answered(reply.body.errorCode, sessionID: reply.body.sessionId)
                case .failure: self.sessions[broker]?.failed()
                }
                guard let cluster else { return }
                self.ended(
                    entries, broker: broker,
                    result.flatMap { reply in
                        FetchAnswers.read(reply, ids: ids)
                    }, consumer, cluster)
            }
        } catch {
            ended(entries, broker: broker, .failure(error), consumer, cluster)
        }
    }

    /// Tells a broker that a session is over, so that it need not keep it for others to push out; best effort.
    func leave(_ session: FetchSessionState, _ broker: Int32, _ cluster: Cluster) {
        guard let id = session.openSessionID, let connection = cluster.ready(broker) else { return }
        let limit: Int16 = session.usesTopicIDs ? .max : 12
        guard let version = try? connection.version(of: FetchRequest.self, limit: limit) else { return }
        var request = FetchRequest()
        request.sessionId = id
        request.sessionEpoch = -1
        connection.send(request, version: version) { _ in }
    }

    /// A request is over: settles each partition of it and hands over what came.
    private func ended(
        _ entries: [FetchState.Entry], broker: Int32, _ result: Result<FetchAnswers, KafkaClientError>,
        _ consumer: Consumer, _ cluster: Cluster
    ) {
        consumer.state.withLock { $0.fetch.requestEnded(broker: broker) }
        for entry in entries {
            var answer = PartitionAnswer(outcome: .retriable)
            switch result {
            case .success(let answers):
                answer = answers.answer(for: entry, consumer.settings)
            case .failure(let error):
                answer.outcome = error.fetchesAgain ? .retriable : .refused
                answer.error = error
                if answer.outcome == .retriable, error.code != .bufferFull {
                    cluster.metadata.distrust(entry.partition.topic)
                }
            }
            if answer.isStale { cluster.metadata.distrust(entry.partition.topic) }
            settle(entry, answer, consumer)
        }
        consumer.scheduleDrain()
    }

    private func settle(_ entry: FetchState.Entry, _ answer: PartitionAnswer, _ consumer: Consumer) {
        let now = Time.monotonicMilliseconds()
        var waiters: [Inbox.Waiter] = []
        consumer.state.withLock { state in
            let verdict = state.fetch.settle(entry, answer.outcome, now: now, random: .random(in: 0 ... .max))
            if let ends = answer.ends {
                state.fetch.learn(
                    entry.partition, highWatermark: ends.highWatermark, lastStableOffset: ends.lastStableOffset,
                    logStartOffset: ends.logStartOffset)
            }
            let until = state.fetch.partitions[entry.partition]?.until ?? .max
            switch verdict {
            case .deliver:
                for batch in answer.batches where batch.baseOffset < until {
                    waiters += state.inbox.append(.batch(batch.limited(to: entry.offset..<max(entry.offset, until))))
                }
            case .fail:
                if let error = answer.error { waiters += state.inbox.append(.failure(error)) }
            case .drop, .reset: break
            }
            if state.fetch.isOver { waiters += state.inbox.takeWaiters() }
        }
        if answer.outcome == .outOfRange {
            consumer.client.logger.warning(
                "offset out of range", metadata: ["partition": "\(entry.partition)", "offset": "\(entry.offset)"])
        }
        consumer.wake(waiters)
    }
}

extension KafkaClientError {
    /// Whether a fetch request that failed as a whole is worth repeating.
    fileprivate var fetchesAgain: Bool {
        switch code {
        // That the client is closed is told once, by the drain.
        case .connection, .timedOut, .bufferFull, .closed: true
        default: isRetriable
        }
    }
}

/// What a broker said about one partition.
struct PartitionAnswer {
    var outcome: FetchState.Outcome
    var batches: [ConsumedBatch] = []
    var ends: (highWatermark: Int64, lastStableOffset: Int64, logStartOffset: Int64)?
    /// Whether what we know about the leader is out of date.
    var isStale = false
    var error: KafkaClientError?
}

/// The answers to a request, by partition.
struct FetchAnswers {
    private let reply: Reply<FetchResponse>
    private var answers: [TopicPartition: FetchResponse.PartitionData] = [:]

    static func read(_ reply: Reply<FetchResponse>, ids: [String: Uuid]) -> Result<FetchAnswers, KafkaClientError> {
        guard reply.body.errorCode == .none else {
            return .failure(.refused(reply.body.errorCode, "cannot fetch"))
        }
        var read = FetchAnswers(reply: reply)
        let names = Dictionary(ids.filter { $0.value != .zero }.map { ($0.value, $0.key) }) { first, _ in first }
        for topic in reply.body.responses {
            let name = names[topic.topicId] ?? topic.topic
            for partition in topic.partitions {
                read.answers[TopicPartition(name, partition.partitionIndex)] = partition
            }
        }
        return .success(read)
    }

    private init(reply: Reply<FetchResponse>) { self.reply = reply }

    func answer(for entry: FetchState.Entry, _ settings: ConsumerSettings) -> PartitionAnswer {
        guard let data = answers[entry.partition] else {
            // A broker may leave out partitions without news.
            return PartitionAnswer(outcome: .records(next: entry.offset))
        }
        let ends = (data.highWatermark, data.lastStableOffset, data.logStartOffset)
        if data.errorCode == .none {
            return records(data, ends: ends, for: entry, settings)
        }
        var answer = PartitionAnswer(outcome: .refused, isStale: data.errorCode.meansStaleMetadata)
        answer.error = .refused(data.errorCode, "cannot read partition \(entry.partition) at offset \(entry.offset)")
        if data.errorCode == .offsetOutOfRange {
            answer.outcome = .outOfRange
        } else if data.errorCode.isRetriable || answer.isStale {
            answer.outcome = .retriable
        }
        return answer
    }

    private func records(
        _ data: FetchResponse.PartitionData, ends: (Int64, Int64, Int64), for entry: FetchState.Entry,
        _ settings: ConsumerSettings
    ) -> PartitionAnswer {
        var answer = PartitionAnswer(outcome: .records(next: entry.offset), ends: ends)
        guard let bytes = reply.records(data.records) else { return answer }
        var next = entry.offset
        var aborted = AbortedTransactions()
        if settings.readsCommittedOnly {
            aborted.add(data.abortedTransactions?.map { ($0.producerId, $0.firstOffset) } ?? [])
        }
        do throws(KafkaClientError) {
            let scan = BatchScan(partition: entry.partition, settings: settings)
            try scan.split(bytes) { batch in
                next = max(next, batch.nextOffset)
                if !aborted.hides(batch), batch.nextOffset > entry.offset { answer.batches.append(batch) }
            }
            answer.outcome = .records(next: next)
        } catch {
            answer.outcome = .refused
            answer.error = error
        }
        return answer
    }
}

extension FetchRequest {
    fileprivate init(_ plan: FetchSessionState.Plan, ids: [String: Uuid], _ settings: ConsumerSettings) {
        self.init()
        sessionId = plan.sessionID
        sessionEpoch = plan.epoch
        maxWaitMs = settings.maximumWaitMilliseconds
        minBytes = settings.minimumBytes
        maxBytes = settings.maximumFetchBytes
        isolationLevel = settings.readsCommittedOnly ? 1 : 0
        for entry in plan.named {
            var partition = FetchPartition()
            partition.partition = entry.partition.partition
            partition.fetchOffset = entry.offset
            partition.partitionMaxBytes = settings.maximumPartitionBytes
            if let index = topics.firstIndex(where: { $0.topic == entry.partition.topic }) {
                topics[index].partitions.append(partition)
                continue
            }
            var topic = FetchTopic()
            topic.topic = entry.partition.topic
            topic.topicId = ids[entry.partition.topic] ?? .zero
            topic.partitions = [partition]
            topics.append(topic)
        }
        for one in plan.forgotten {
            var topic = ForgottenTopic()
            topic.topic = one.partition.topic
            topic.topicId = one.topicID
            topic.partitions = [one.partition.partition]
            forgottenTopicsData.append(topic)
        }
    }
}
