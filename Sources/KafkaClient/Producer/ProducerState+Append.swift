extension ProducerState {
    /// Where adding records stopped.
    enum Step {
        /// All are added.
        case done
        /// The topic must be learned first.
        case unknownTopic
        /// The buffer is full: wait for this turn, then go on with `turn: true`.
        case wait(Waiter)
        /// The records from `next` on are not added.
        case failed(KafkaClientError)
    }

    /// What the driver is to do after records were added, whatever the step.
    struct Followup {
        /// Batches that are full, to be sealed outside of the lock.
        var toSeal: [OpenBatch] = []
        /// When the next drain is due; nil if nothing changed.
        var drainAt: Int64?
    }

    /// Adds records of a delivery from `next` on, as far as there is room, and moves `next` behind them.
    ///
    /// `turn` is the number of a caller that was called from the waiting line; it passes those who still stand there.
    mutating func append(
        _ records: [Record], from next: inout Int, of delivery: Delivery, turn: Int?, now: Int64, deadline: Int64,
        followup: inout Followup
    ) -> Step {
        if let turn { called.remove(turn) }
        if let end { return .failed(end) }
        guard let topic = topicNumbers[delivery.topic] else { return .unknownTopic }
        var mayPass = turn != nil
        while next < records.count {
            let record = records[next]
            let size = OpenBatch.maximumSize(of: record)
            guard size <= settings.maximumRequestBytes else {
                return .failed(tooLarge(size, topic: delivery.topic))
            }
            guard let place = place(of: record, topic: topic) else {
                return .failed(noSuchPartition(record.partition ?? 0, topic: topic))
            }
            guard usedBytes + size <= settings.bufferBytes, mayPass || (waiters.isEmpty && called.isEmpty) else {
                return line(up: size, inFront: turn != nil, deadline: deadline)
            }
            mayPass = true
            add(record, size: size, index: next, of: delivery, to: place, now: now, deadline, &followup)
            next += 1
        }
        admitWaiters()
        return .done
    }

    /// A caller does not wait for its turn any more.
    mutating func abandon(waiter number: Int) {
        waiters.removeAll { $0.number == number }
        called.remove(number)
        admitWaiters()
    }

    /// Calls the first of those who wait, if there is room for what it brings. One at a time: it calls the next one.
    mutating func admitWaiters() {
        guard called.isEmpty, let first = waiters.first else { return }
        guard usedBytes + first.neededBytes <= settings.bufferBytes || end != nil else { return }
        waiters.removeFirst()
        called.insert(first.number)
        first.turn.complete(.success(()))
    }

    private mutating func add(
        _ record: Record, size: Int, index: Int, of delivery: Delivery, to place: Int, now: Int64, _ deadline: Int64,
        _ followup: inout Followup
    ) {
        let slot = slots[place]
        if let open = slot.open, open.sizeBytes + size > settings.batchBytes {
            close(open, in: place, &followup)
        }
        let open = slot.open ?? start(in: place, now: now, deadline: deadline, &followup)
        open.append(record, timestamp: delivery.timestamp(index), claimedBy: delivery, index: index)
        usedBytes += size
        open.reservedBytes += size
        if open.sizeBytes >= settings.batchBytes { close(open, in: place, &followup) }
    }

    private mutating func start(
        in place: Int, now: Int64, deadline: Int64, _ followup: inout Followup
    ) -> OpenBatch {
        let lingerDeadline = now + settings.lingerMilliseconds
        let open = OpenBatch(
            id: nextBatchID, lingerDeadline: lingerDeadline, deliveryDeadline: deadline,
            compression: settings.compression.wire)
        nextBatchID += 1
        slots[place].open = open
        busy.insert(place)
        followup.drainAt = min(followup.drainAt ?? .max, lingerDeadline)
        return open
    }

    /// The batch takes no more records: it gets its place in the queue, and its bytes once it is sealed.
    mutating func close(_ open: OpenBatch, in place: Int, _ followup: inout Followup) {
        let slot = slots[place]
        slot.open = nil
        slot.queue.enqueue(
            id: open.id, recordCount: Int32(open.recordCount), deadline: open.deliveryDeadline, isReady: false)
        batches[open.id] = Sealed(
            slot: place, order: open.id, claims: open.claims, recordCount: open.recordCount,
            reservedBytes: open.reservedBytes)
        topics[slot.topic].partitioner.batchCompleted(in: slot.partition)
        followup.toSeal.append(open)
    }

    private mutating func place(of record: Record, topic: Int) -> Int? {
        if let partition = record.partition {
            guard partition >= 0, partition < topics[topic].slots.count else { return nil }
            return topics[topic].slots[Int(partition)]
        }
        if let key = record.key {
            return topics[topic].slots[Int(topics[topic].partitioner.partition(forKey: key))]
        }
        let leaderless = topics[topic].leaderless
        let partition = topics[topic].partitioner.partitionWithoutKey { !leaderless.contains($0) }
        return topics[topic].slots[Int(partition)]
    }

    private mutating func line(up size: Int, inFront: Bool, deadline: Int64) -> Step {
        guard waiters.count < settings.maximumWaitingSends else {
            return .failed(
                KafkaClientError(
                    .bufferFull,
                    "the producer's buffer of \(settings.bufferBytes) bytes is full and \(waiters.count) calls wait already"
                ))
        }
        let waiter = Waiter(number: nextWaiter, neededBytes: size, deadline: deadline, turn: Completion())
        nextWaiter += 1
        waiters.insert(waiter, at: inFront ? 0 : waiters.count)
        return .wait(waiter)
    }

    private func tooLarge(_ size: Int, topic: String) -> KafkaClientError {
        KafkaClientError(
            .invalid,
            "a record of \(size) bytes for topic \"\(topic)\" exceeds maximumRequestBytes (\(settings.maximumRequestBytes))"
        )
    }

    private func noSuchPartition(_ partition: Int32, topic: Int) -> KafkaClientError {
        KafkaClientError(
            .unknownTopic,
            "topic \"\(topics[topic].name)\" has no partition \(partition) (it has \(topics[topic].slots.count))")
    }
}
