/// Judges what a client wants to append before anything is locked or written: structure, checksum, what clients may
/// send at all. Nothing but batch headers is decoded.
struct BatchAdmission {
    /// The smallest record: length, attributes, two deltas, two empty lengths and a header count, a byte each.
    static let minimumRecordBytes = 7
    /// The most records that one compressed byte can stand for: zstd writes 128 KiB of one byte value as 4 bytes,
    /// which makes 4,681 of the smallest records per byte. Whoever claims more lies.
    static let maximumRecordsPerCompressedByte = 8192

    /// The first batch; the only one if `batchCount` is 1.
    private(set) var first = BatchFacts()
    private(set) var batchCount = 0
    private(set) var recordCount: Int64 = 0
    /// The time stamped on the batches, or -1.
    let logAppendTime: Int64

    /// Checks every batch in `bytes`, and stamps the time if the topic wants it (the only change).
    init(
        _ bytes: UnsafeMutableRawBufferPointer, topic: TopicConfiguration, wallMilliseconds: Int64,
        allowsControl: Bool = false
    ) throws(LogError) {
        logAppendTime = topic.logAppendTime ? wallMilliseconds : -1
        var position = 0
        while position < bytes.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[position...])
            var facts = try Self.facts(UnsafeRawBufferPointer(rest), topic)
            let batch = UnsafeMutableRawBufferPointer(rebasing: rest[..<facts.sizeBytes])
            if facts.isControl, !allowsControl {
                throw LogError(.invalidRecord, "clients may not append control batches")
            }
            try Self.checkContent(facts, UnsafeRawBufferPointer(batch), topic, wallMilliseconds)
            if topic.logAppendTime { Self.stamp(batch, &facts, wallMilliseconds) }
            if batchCount == 0 { first = facts }
            batchCount += 1
            recordCount += Int64(facts.recordCount)
            if batchCount > 1, facts.isIdempotent || first.isIdempotent {
                throw LogError(.invalidRecord, "an idempotent producer appends one batch at a time")
            }
            position += facts.sizeBytes
        }
        guard batchCount > 0 else { throw LogError(.corruptBatch, "no batch") }
    }

    private static func facts(
        _ bytes: UnsafeRawBufferPointer, _ topic: TopicConfiguration
    ) throws(LogError) -> BatchFacts {
        if bytes.count > 16, bytes[16] < 2 {
            throw LogError(.unsupportedFormat, "record format \(bytes[16]); only version 2 is stored")
        }
        var fault = ""
        guard let facts = BatchFacts(header: bytes, fault: &fault) else { throw LogError(.corruptBatch, fault) }
        guard facts.sizeBytes <= bytes.count else {
            throw LogError(.corruptBatch, "a batch of \(facts.sizeBytes) bytes in \(bytes.count)")
        }
        guard facts.sizeBytes <= Int(topic.maximumMessageBytes) else {
            throw LogError(
                .messageTooLarge,
                "a batch of \(facts.sizeBytes) bytes; max.message.bytes is \(topic.maximumMessageBytes)")
        }
        return facts
    }

    private static func checkContent(
        _ facts: BatchFacts, _ batch: UnsafeRawBufferPointer, _ topic: TopicConfiguration, _ now: Int64
    ) throws(LogError) {
        let stored = BatchFacts.checksum(inHeader: batch)
        guard Checksum.of(UnsafeRawBufferPointer(rebasing: batch[BatchFacts.checkedFrom...])) == stored else {
            throw LogError(.corruptBatch, "the checksum differs")
        }
        try checkCount(facts, codec: batch[22] & 7)
        if facts.isTransactional {
            throw LogError(.invalidTransactionState, "transactions are not served")
        }
        if facts.isIdempotent, facts.baseSequence < 0 || facts.producerEpoch < 0 {
            throw LogError(
                .invalidRecord,
                "producer \(facts.producerID) sent epoch \(facts.producerEpoch), sequence \(facts.baseSequence)")
        }
        guard !topic.logAppendTime else { return }
        if facts.usesLogAppendTime {
            throw LogError(.invalidTimestamp, "only the broker sets LogAppendTime")
        }
        let (latest, overflow) = now.addingReportingOverflow(topic.timestampAfterMaximumMilliseconds)
        if !overflow, facts.maxTimestamp > latest {
            throw LogError(
                .invalidTimestamp,
                """
                timestamp \(facts.maxTimestamp) is more than message.timestamp.after.max.ms \
                (\(topic.timestampAfterMaximumMilliseconds)) after the broker's time \(now)
                """)
        }
    }

    private static func checkCount(_ facts: BatchFacts, codec: UInt8) throws(LogError) {
        guard codec <= 4 else { throw LogError(.unsupportedCompression, "compression codec \(codec)") }
        guard facts.recordCount > 0, facts.recordCount - 1 == facts.lastOffsetDelta else {
            throw LogError(
                .invalidRecord, "\(facts.recordCount) records with a last offset delta of \(facts.lastOffsetDelta)")
        }
        let payload = facts.sizeBytes - BatchFacts.headerBytes
        let possible = codec == 0 ? payload / minimumRecordBytes : payload * maximumRecordsPerCompressedByte
        guard Int(facts.recordCount) <= possible else {
            throw LogError(.invalidRecord, "\(facts.recordCount) records in \(payload) bytes")
        }
    }

    /// Sets LogAppendTime; the only case in which a checksum is computed anew.
    private static func stamp(_ batch: UnsafeMutableRawBufferPointer, _ facts: inout BatchFacts, _ now: Int64) {
        let attributes: Int16 = UnsafeRawBufferPointer(batch).bigEndian(21)
        batch.storeBigEndian(attributes | 0x08, at: 21)
        batch.storeBigEndian(now, at: 35)
        let checked = UnsafeRawBufferPointer(rebasing: batch[BatchFacts.checkedFrom...])
        batch.storeBigEndian(Checksum.of(checked), at: 17)
        facts.maxTimestamp = now
        facts.usesLogAppendTime = true
    }
}
