extension ProducerState {
    /// Records whose fate is decided; the driver tells their deliveries, outside of the lock.
    struct Settled {
        let claim: Claim
        let partition: Int32
        let outcome: Result<Delivery.Written, KafkaClientError>

        func tell() { claim.delivery.settle(claim.records, partition: partition, outcome) }
    }

    /// What a broker said about a batch.
    struct BatchAnswer {
        var outcome: PartitionQueue.Outcome
        /// The offset of the batch's first record, if told.
        var baseOffset: Int64?
        var logAppendTimeMilliseconds: Int64?
        /// Why, unless it was written.
        var error: KafkaClientError?
    }

    /// What follows from an answer.
    struct Resolution {
        var settled: [Settled] = []
        /// The batch that is to be split outside of the lock.
        var oversized: OversizedBatch?
    }

    /// A request is over, with or without an answer.
    mutating func requestEnded(broker: Int32) {
        inFlight[broker, default: 1] -= 1
        if inFlight[broker] == 0 { inFlight[broker] = nil }
    }

    /// The fate of one batch of a request.
    mutating func resolve(_ id: Int, _ answer: BatchAnswer, now: Int64, random: UInt64) -> Resolution {
        guard let batch = batches[id] else { return Resolution() }
        switch slots[batch.slot].queue.resolve(id: id, answer.outcome, now: now, random: random) {
        case .again, .unknown:
            batches[id]?.broker = nil
            return Resolution()
        case .split:
            batches[id]?.broker = nil
            return Resolution(oversized: batch.bytes.map { OversizedBatch(id: id, bytes: $0) })
        case .succeeded:
            let written = Delivery.Written(
                offset: answer.baseOffset, logAppendTimeMilliseconds: answer.logAppendTimeMilliseconds)
            return Resolution(settled: settle(id, .success(written)))
        case .failed:
            let error = answer.error ?? KafkaClientError(.refused, "the broker refused the records")
            return Resolution(settled: settle(id, .failure(error)))
        }
    }

    /// A batch could not be compressed, or not be split.
    mutating func drop(_ id: Int, _ error: KafkaClientError) -> [Settled] {
        guard let batch = batches[id] else { return [] }
        slots[batch.slot].queue.remove(id: id)
        return settle(id, .failure(error))
    }

    /// Decides the records of a batch and frees what they hold.
    mutating func settle(_ id: Int, _ outcome: Result<Delivery.Written, KafkaClientError>) -> [Settled] {
        guard let batch = batches.removeValue(forKey: id) else { return [] }
        usedBytes -= batch.reservedBytes
        let partition = slots[batch.slot].partition
        endFlushes(settling: batch.order)
        admitWaiters()
        return batch.claims.map { claim in
            let shifted = outcome.map { written in
                Delivery.Written(
                    offset: written.offset.map { $0 + Int64(claim.firstInBatch) },
                    logAppendTimeMilliseconds: written.logAppendTimeMilliseconds)
            }
            return Settled(claim: claim, partition: partition, outcome: shifted)
        }
    }

    /// Registers a caller that waits until everything accepted so far is decided.
    mutating func flush() -> Completion<Void> {
        let done = Completion<Void>()
        let open = busy.reduce(0) { $0 + (slots[$1].open == nil ? 0 : 1) }
        let left = batches.count + open
        guard left > 0 else {
            done.complete(.success(()))
            return done
        }
        flushes.append(Flush(upTo: nextBatchID - 1, left: left, done: done))
        return done
    }

    /// Accepts nothing more. What is under way goes on.
    mutating func finish(_ error: KafkaClientError) -> [Waiter] {
        guard end == nil else { return [] }
        end = error
        defer { waiters = [] }
        return waiters
    }

    /// Gives up everything that is left.
    mutating func abort(_ error: KafkaClientError) -> [Settled] {
        var followup = Followup()
        for place in busy {
            if let open = slots[place].open { close(open, in: place, &followup) }
            _ = slots[place].queue.removeAll()
        }
        busy = []
        return batches.keys.sorted().flatMap { settle($0, .failure(error)) }
    }

    private mutating func endFlushes(settling id: Int) {
        guard !flushes.isEmpty else { return }
        for index in flushes.indices where id <= flushes[index].upTo { flushes[index].left -= 1 }
        for flush in flushes where flush.left == 0 { flush.done.complete(.success(())) }
        flushes.removeAll { $0.left == 0 }
    }
}
