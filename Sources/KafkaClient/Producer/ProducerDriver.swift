import KafkaWire
import NIOCore
import Synchronization

/// What connects a producer's pure state with the cluster. Belongs to the client's event loop.
final class ProducerDriver {
    private let search: LeaderSearch
    private let timer = EarliestTimer()
    private var listener: Int?
    private var identityBackoff: Backoff

    init(client: ClientSettings) {
        search = LeaderSearch(client)
        let retry = client.retryBackoffMilliseconds
        identityBackoff = Backoff(firstMilliseconds: retry.lowerBound, mostMilliseconds: retry.upperBound)
    }

    /// Follows changes of metadata, from the first topic on.
    func start(_ producer: Producer, _ cluster: Cluster) {
        guard listener == nil else { return }
        listener = cluster.listen { [weak producer, weak cluster] in
            guard let producer, let cluster else { return }
            let known = producer.state.withLock { Array($0.topicNumbers.keys) }
            for name in known { if let topic = cluster.metadata.topics[name] { producer.learn(topic) } }
            producer.scheduleDrain()
        }
    }

    func stop(_ cluster: Cluster) {
        if let listener { cluster.listeners[listener] = nil }
        timer.cancel()
    }

    /// Sends what may leave, gives up what is too late, and sets the timer for the rest.
    func drain(_ producer: Producer, _ cluster: Cluster) {
        let now = Time.monotonicMilliseconds()
        if cluster.isClosed { return producer.abort(KafkaClientError(.closed, "the client is closed")) }
        let leaders = Leaders(metadata: cluster.metadata, connected: cluster.connectedNodes)
        let (drained, inUse) = producer.state.withLock { state in
            (state.drain(now: now, leaders: leaders), state.topicsInUse)
        }
        producer.seal(drained.followup.toSeal)
        for one in drained.settled { one.tell() }
        expire(drained.expired)
        for broker in drained.unconnected {
            search.connect(to: broker, cluster, topics: { inUse }, changed: { producer.scheduleDrain() })
        }
        if drained.asksIdentity { askIdentity(producer, cluster) }
        let due = cluster.metadata.due(inUse: inUse, now: now)
        let retry = search.ask(drained.leaderless.union(due), now: now, cluster) { producer.scheduleDrain() }
        if let retry { wake(at: retry, producer) }
        for (broker, batches) in drained.requests { send(batches, to: broker, producer, cluster) }
        if !drained.followup.toSeal.isEmpty { return producer.scheduleDrain() }
        if let due = drained.wakeAt { due <= now ? producer.scheduleDrain() : wake(at: due, producer) }
    }

    /// Drains at a time, or earlier.
    func wake(at due: Int64, _ producer: Producer) {
        let driver = NIOLoopBound(self, eventLoop: producer.client.loop)
        timer.set(to: due, on: producer.client.loop) {
            driver.value.drain(producer, producer.client.cluster.value)
        }
    }

    private func expire(_ waiters: [ProducerState.Waiter]) {
        for waiter in waiters {
            waiter.turn.complete(
                .failure(KafkaClientError(.bufferFull, "the producer's buffer stayed full until the delivery timeout")))
        }
    }
}

extension ProducerDriver {
    /// Asks any broker for a name to number batches under.
    private func askIdentity(_ producer: Producer, _ cluster: Cluster) {
        cluster.connection(to: .any) { opened in
            do throws(KafkaClientError) {
                let connection = try opened.get()
                let version = try connection.version(of: InitProducerIdRequest.self)
                var request = InitProducerIdRequest()
                request.transactionTimeoutMs = Int32.max
                connection.send(request, version: version) { [weak self] result in
                    self?.identityAnswered(
                        result.flatMap { reply in
                            guard reply.body.errorCode == .none else {
                                return .failure(.refused(reply.body.errorCode, "cannot get a producer id"))
                            }
                            return .success(
                                ProducerIdentity(id: reply.body.producerId, epoch: reply.body.producerEpoch))
                        }, producer)
                }
            } catch {
                self.identityAnswered(.failure(error), producer)
            }
        }
    }

    private func identityAnswered(_ result: Result<ProducerIdentity, KafkaClientError>, _ producer: Producer) {
        switch result {
        case .success(let identity):
            identityBackoff.succeeded()
            producer.state.withLock { $0.named(identity) }
            producer.scheduleDrain()
        case .failure(let error) where error.code == .timedOut || error.isRetriable:
            let wait = identityBackoff.failed(random: .random(in: 0 ... .max))
            producer.client.loop.scheduleTask(in: .milliseconds(wait)) {
                producer.state.withLock { $0.named(nil) }
                producer.scheduleDrain()
            }
        case .failure(let error):
            // Without a right to be idempotent nothing can be written; the application may choose to do without.
            producer.abort(error)
        }
    }
}
