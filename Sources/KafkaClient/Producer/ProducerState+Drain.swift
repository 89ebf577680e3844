import NIOCore

extension ProducerState {
    /// A batch in a request, its bytes numbered.
    struct Outgoing {
        let id: Int
        let topic: String
        let partition: Int32
        let sequence: Int32
        let bytes: ByteBuffer
    }

    /// What a drain found to do.
    struct Drained {
        /// One request per broker.
        var requests: [Int32: [Outgoing]] = [:]
        /// Batches that are to be compressed.
        var followup = Followup()
        /// Batches that were given up.
        var settled: [Settled] = []
        /// Topics whose leader must be asked for.
        var leaderless: Set<String> = []
        /// Brokers that a connection is needed to.
        var unconnected: Set<Int32> = []
        /// Whether a name to number batches under is to be asked for.
        var asksIdentity = false
        /// Callers whose wait for room is over.
        var expired: [Waiter] = []
        /// When to drain again, if nothing happens before.
        var wakeAt: Int64?
    }

    /// Takes what may leave now.
    mutating func drain(now: Int64, leaders: Leaders) -> Drained {
        var drained = Drained()
        expire(now: now, &drained)
        nameProducer(&drained)
        var room: [Int32: Int] = [:]
        for place in busy.sorted() {
            let slot = slots[place]
            let topic = topics[slot.topic].name
            let broker = leaders.broker(of: slot.partition, in: topic)
            if broker == nil { drained.leaderless.insert(topic) }
            if let broker, !leaders.connected.contains(broker) { drained.unconnected.insert(broker) }
            let reachable = broker.flatMap { leaders.connected.contains($0) ? $0 : nil }
            closeIfDue(place, now: now, broker: reachable, &drained)
            if let reachable { collect(place, topic: topic, for: reachable, now: now, &room, &drained) }
            noteWake(of: slot, now: now, &drained)
            if slot.isIdle { busy.remove(place) }
        }
        for broker in drained.requests.keys { inFlight[broker, default: 0] += 1 }
        return drained
    }

    /// A name came, or could not be had now.
    mutating func named(_ identity: ProducerIdentity?) {
        guard naming == .asking else { return }
        naming = identity.map { .known($0) } ?? .unknown
    }

    /// The bytes of a batch are ready.
    mutating func sealed(id: Int, bytes: ByteBuffer) {
        guard let batch = batches[id] else { return }
        batches[id]?.bytes = bytes
        slots[batch.slot].queue.ready(id: id)
    }

    /// Asks for the first name. The next epoch of a name is ours to choose as long as there are no transactions: a
    /// broker takes any larger one, and numbers that begin with 0 under it.
    private mutating func nameProducer(_ drained: inout Drained) {
        if case .known(let name) = naming, busy.contains(where: { slots[$0].queue.needsNewIdentity(current: name) }) {
            naming = name.epoch < .max ? .known(ProducerIdentity(id: name.id, epoch: name.epoch + 1)) : .unknown
        }
        guard naming == .unknown, !busy.isEmpty else { return }
        naming = .asking
        drained.asksIdentity = true
    }

    /// A batch that waited for company long enough is complete, but only once it could be sent at all: until then it
    /// may as well grow.
    private mutating func closeIfDue(_ place: Int, now: Int64, broker: Int32?, _ drained: inout Drained) {
        let slot = slots[place]
        guard let open = slot.open else { return }
        let isFlushed = flushes.contains { open.id <= $0.upTo } || end != nil
        var couldLeave = false
        if let broker {
            couldLeave =
                slot.queue.batches.count < settings.maximumInFlightPerPartition
                && inFlight[broker, default: 0] < settings.maximumInFlightPerBroker
        }
        guard isFlushed || (open.lingerDeadline <= now && couldLeave) else { return }
        close(open, in: place, &drained.followup)
    }

    /// At most one batch per partition goes into a request, and batches up to `maximumRequestBytes` together.
    private mutating func collect(
        _ place: Int, topic: String, for broker: Int32, now: Int64, _ room: inout [Int32: Int],
        _ drained: inout Drained
    ) {
        guard let identity, inFlight[broker, default: 0] < settings.maximumInFlightPerBroker else { return }
        let slot = slots[place]
        let left = room[broker] ?? settings.maximumRequestBytes
        guard let next = slot.queue.peek(identity: identity, now: now),
            let size = batches[next]?.bytes?.readableBytes
        else { return }
        guard drained.requests[broker] == nil || size <= left else {
            // It leaves with the next request, which may go at once.
            drained.wakeAt = now
            return
        }
        guard let sending = slot.queue.send(identity: identity, now: now) else { return }
        room[broker] = left - size
        batches[next]?.broker = broker
        batches[next]?.bytes?.stamp(sending.identity, sequence: sending.sequence)
        guard let bytes = batches[next]?.bytes else { return }
        drained.requests[broker, default: []].append(
            Outgoing(
                id: next, topic: topic, partition: slot.partition, sequence: sending.sequence, bytes: bytes))
        if slot.queue.peek(identity: identity, now: now) != nil { drained.wakeAt = now }
    }

    private func noteWake(of slot: Slot, now: Int64, _ drained: inout Drained) {
        func note(_ time: Int64?) {
            if let time { drained.wakeAt = min(drained.wakeAt ?? .max, time) }
        }
        note(slot.queue.nextEvent(now: now))
        if let open = slot.open {
            note(open.lingerDeadline > now ? open.lingerDeadline : open.deliveryDeadline)
        }
    }

    private mutating func expire(now: Int64, _ drained: inout Drained) {
        for place in busy {
            let slot = slots[place]
            if let open = slot.open, open.deliveryDeadline <= now { close(open, in: place, &drained.followup) }
            let expired = slot.queue.expire(now: now)
            for batch in expired {
                drained.settled += settle(batch.id, .failure(timedOut(slot, wasSent: batch.attempts > 0)))
            }
        }
        drained.expired = waiters.filter { $0.deadline <= now }
        waiters.removeAll { $0.deadline <= now }
        if let soonest = waiters.lazy.map(\.deadline).min() { drained.wakeAt = soonest }
    }

    private func timedOut(_ slot: Slot, wasSent: Bool) -> KafkaClientError {
        let what = "records for \(topics[slot.topic].name)-\(slot.partition) were not acknowledged"
        let state = wasSent ? "they may have been written" : "they were never sent"
        return KafkaClientError(.timedOut, "\(what) within \(settings.deliveryTimeoutMilliseconds) ms; \(state)")
    }
}
