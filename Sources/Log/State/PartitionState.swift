/// The pure state of a partition: which offset comes next, and which batch a producer may append next.
///
/// A value without files and clocks. Offsets come from nowhere else. It is a function of the batches in the log:
/// replaying their headers rebuilds it, and a snapshot only shortens the replay.
struct PartitionState: Sendable {
    /// What becomes of a batch.
    enum Admission: Sendable, Equatable {
        /// It gets the next offsets.
        case append
        /// It was appended before, here.
        case duplicate(ProducerBatch)
    }

    /// The first offset.
    private(set) var logStartOffset: Int64
    /// The next offset to be given out.
    private(set) var logEndOffset: Int64
    /// The epoch that new batches are stamped with.
    private(set) var leaderEpoch: Int32
    private(set) var epochs = LeaderEpochs()
    private(set) var producers: ProducerTable

    init(startOffset: Int64 = 0, leaderEpoch: Int32 = 0, producerLimit: Int = 4_096) {
        logStartOffset = startOffset
        logEndOffset = startOffset
        self.leaderEpoch = leaderEpoch
        producers = ProducerTable(limit: producerLimit)
    }

    /// Decides about a batch from a client, without changing anything.
    ///
    /// Kafka's rules since KIP-360: whoever is unknown may begin with any sequence number (retention, expiry or
    /// eviction may have removed what was known), a new epoch begins with sequence 0, and a batch that repeats one
    /// of the last five is answered with its original offset. UNKNOWN_PRODUCER_ID is never answered.
    func admit(_ batch: BatchFacts) throws(LogError) -> Admission {
        guard batch.isIdempotent, let known = producers[batch.producerID] else { return .append }
        if batch.producerEpoch < known.epoch {
            throw LogError(
                .invalidProducerEpoch,
                "producer \(batch.producerID) sent epoch \(batch.producerEpoch), the newest is \(known.epoch)")
        }
        if let original = known.repetition(of: batch) { return .duplicate(original) }
        let isNext =
            batch.producerEpoch > known.epoch
            ? batch.baseSequence == 0 : Sequence.follows(batch.baseSequence, known.lastSequence)
        guard isNext else {
            throw LogError(
                .outOfOrderSequence,
                """
                producer \(batch.producerID) epoch \(batch.producerEpoch) sent sequence \(batch.baseSequence) \
                after \(known.lastSequence)
                """)
        }
        return .append
    }

    /// Gives an admitted batch its offsets.
    ///
    /// - Parameter now: milliseconds of a clock that does not jump; decides only when an idle producer is forgotten.
    /// - Returns: the offset of its first record.
    mutating func append(_ batch: BatchFacts, now: Int64) -> Int64 {
        let baseOffset = logEndOffset
        epochs.note(leaderEpoch, at: baseOffset)
        if batch.isIdempotent { producers.record(batch, baseOffset: baseOffset, now: now) }
        logEndOffset = baseOffset + Int64(batch.lastOffsetDelta) + 1
        return baseOffset
    }

    /// Takes over a batch that stands in the log, with the offsets and the epoch that it has there.
    mutating func replay(_ batch: BatchFacts, now: Int64) {
        epochs.note(batch.leaderEpoch, at: batch.baseOffset)
        leaderEpoch = max(leaderEpoch, batch.leaderEpoch)
        if batch.isIdempotent && !batch.isControl {
            producers.record(batch, baseOffset: batch.baseOffset, now: now)
        }
        logEndOffset = batch.endOffset
    }

    /// Moves the log's start after retention.
    mutating func advanceStart(to offset: Int64) {
        guard offset > logStartOffset else { return }
        logStartOffset = offset
        logEndOffset = max(logEndOffset, offset)
        epochs.removeBelow(offset)
    }

    /// Where a leader epoch ends, with the largest known epoch not above it, as Kafka's leaders answer it; nil if
    /// nothing is known of it.
    func end(ofLeaderEpoch epoch: Int32, highWatermark: Int64) -> (epoch: Int32, endOffset: Int64)? {
        guard epoch >= 0, epoch <= leaderEpoch else { return nil }
        // Begun, and without records as yet.
        if epoch == leaderEpoch { return (epoch, highWatermark) }
        if let known = epochs.end(of: epoch, logEndOffset: highWatermark) { return known }
        return epochs.starts.first.map { (epoch, $0.offset) }
    }

    /// Begins a new leader epoch.
    mutating func beginEpoch(_ epoch: Int32) {
        leaderEpoch = max(leaderEpoch, epoch)
    }

    /// Sets where the log ends after a replay: before damage, or behind offsets that a repair left out.
    mutating func end(at offset: Int64) {
        logEndOffset = offset
        logStartOffset = min(logStartOffset, offset)
    }

    mutating func removeIdleProducers(since deadline: Int64) {
        producers.removeIdle(since: deadline)
    }

    /// Forgets the producers that were idle longest.
    mutating func forgetProducers(idleLongest count: Int) {
        for _ in 0..<count { producers.removeOldest() }
    }

    /// Puts the state to where a snapshot was taken; batches from `offset` on are replayed afterwards.
    mutating func restore(offset: Int64, epochs: LeaderEpochs, producers entries: [ProducerEntry], now: Int64) {
        logEndOffset = offset
        self.epochs = epochs
        producers = ProducerTable(limit: producers.limit)
        for entry in entries { producers.restore(entry, now: now) }
    }
}
