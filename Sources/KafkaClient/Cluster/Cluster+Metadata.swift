import KafkaWire
import Logging
import NIOCore

/// What is to be asked about, and who waits for the answer.
struct MetadataWish {
    typealias Taker = (Result<MetadataState.Answer, KafkaClientError>) -> Void

    /// Every topic of the cluster.
    var everything = false
    var topics: Set<String> = []
    /// Whether the broker may create topics that are missing.
    var mayCreate = false
    var takers: [Taker] = []

    var isEmpty: Bool { takers.isEmpty }
}

extension Cluster {
    /// Asks about topics (nil for all), once, and calls back with the answer after it was taken in. Wishes that come
    /// while a question is under way are put together into the next one.
    func refreshMetadata(
        topics: [String]?, mayCreate: Bool = false, _ take: @escaping MetadataWish.Taker = { _ in }
    ) {
        guard !isClosed else { return take(.failure(KafkaClientError(.closed, "the client is closed"))) }
        guard wanted.takers.count < settings.maximumRequestsPerConnection else {
            return take(.failure(KafkaClientError(.bufferFull, "too many callers wait for metadata")))
        }
        if let topics { wanted.topics.formUnion(topics) } else { wanted.everything = true }
        wanted.mayCreate = wanted.mayCreate || mayCreate
        wanted.takers.append(take)
        if asking == nil { askMetadata() }
    }

    /// Fails everyone who waits for metadata.
    func failMetadataWishes(_ error: KafkaClientError) {
        let takers = (asking?.takers ?? []) + wanted.takers
        asking = nil
        wanted = MetadataWish()
        for take in takers { take(.failure(error)) }
    }

    private func askMetadata() {
        let wish = wanted
        wanted = MetadataWish()
        asking = wish
        connection(to: .any) { [weak self] result in
            switch result {
            case .failure(let error): self?.answered(.failure(error))
            case .success(let connection): self?.ask(wish, on: connection)
            }
        }
    }

    private func ask(_ wish: MetadataWish, on connection: BrokerConnection) {
        do throws(KafkaClientError) {
            let version = try connection.version(of: MetadataRequest.self)
            var request = MetadataRequest()
            request.allowAutoTopicCreation = wish.mayCreate
            if wish.everything {
                request.topics = version == 0 ? [] : nil
            } else {
                request.topics = wish.topics.sorted().map { name in
                    var topic = MetadataRequest.MetadataRequestTopic()
                    topic.name = name
                    return topic
                }
            }
            connection.send(request, version: version) { [weak self] result in
                self?.answered(result.flatMap { $0.body.answer(askedAt: Time.monotonicMilliseconds()) })
            }
        } catch {
            answered(.failure(error))
        }
    }

    private func answered(_ result: Result<MetadataState.Answer, KafkaClientError>) {
        guard let wish = asking else { return }
        asking = nil
        if case .success(let answer) = result {
            metadata.apply(answer)
            if wish.everything {
                let told = Set(answer.topics.map(\.name))
                for name in metadata.topics.keys where !told.contains(name) { metadata.forget(name) }
            }
            learnBrokers()
        } else if case .failure(let error) = result {
            logger.debug("metadata failed", metadata: ["reason": "\(error)"])
        }
        for take in wish.takers { take(result) }
        for listener in listeners.values { listener() }
        if asking == nil, !wanted.isEmpty { askMetadata() }
    }
}

extension MetadataResponse {
    /// The answer in the client's own terms.
    func answer(askedAt now: Int64) -> Result<MetadataState.Answer, KafkaClientError> {
        guard errorCode == .none else {
            return .failure(.refused(errorCode, "the broker refused to tell its topics"))
        }
        var answer = MetadataState.Answer(clusterID: clusterId, controller: controllerId < 0 ? nil : controllerId)
        for broker in brokers {
            answer.brokers[broker.nodeId] = BrokerAddress(host: broker.host, port: Int(broker.port))
            answer.racks[broker.nodeId] = broker.rack
        }
        for topic in topics {
            guard let name = topic.name else { continue }
            if topic.errorCode == .none {
                answer.topics.append(topic.state(name: name, askedAt: now))
            } else {
                answer.failures[name] = topic.errorCode.rawValue
            }
        }
        return .success(answer)
    }
}

extension MetadataResponse.MetadataResponseTopic {
    func state(name: String, askedAt now: Int64) -> MetadataState.Topic {
        let count = partitions.lazy.map { Int($0.partitionIndex) + 1 }.filter { $0 > 0 }.max() ?? 0
        let absent = MetadataState.Partition(
            leader: nil, leaderEpoch: -1, replicas: [], inSyncReplicas: [], errorCode: ErrorCode.none.rawValue)
        // A broker may list partitions in any order, but not invent far more than it lists.
        var states = Array(repeating: absent, count: min(count, partitions.count))
        for partition in partitions where states.indices.contains(Int(partition.partitionIndex)) {
            states[Int(partition.partitionIndex)] = MetadataState.Partition(
                leader: partition.leaderId < 0 ? nil : partition.leaderId, leaderEpoch: partition.leaderEpoch,
                replicas: partition.replicaNodes, inSyncReplicas: partition.isrNodes,
                errorCode: partition.errorCode.rawValue)
        }
        return MetadataState.Topic(
            name: name, id: topicId, isInternal: isInternal, partitions: states, askedAtMilliseconds: now)
    }
}
