import Bytes

/// What a producer may send.
public struct ProduceRules: Sendable, Equatable {
    /// The largest batch in bytes. The default is that of Kafka's `message.max.bytes`: 1,048,588.
    public var maximumBatchBytes = 1_048_588
    /// Whether zstd is known to the client's version of Produce (since 7). The default is yes.
    public var allowsZstandard = true

    /// Kafka's defaults.
    public init() {}
}

extension RecordBatch {
    /// Checks a batch as it comes from a producer, without decoding a record.
    ///
    /// Codes: `.limitExceeded` (larger than the rules allow), `.corruptBatch` (CRC), `.unsupportedCompression`,
    /// `.invalidTimestamp` (a producer stamps LogAppendTime), and `.invalidBatch` for everything that is intact but
    /// not allowed: counts that do not agree, control batches, sequence numbers or epochs that are negative with a
    /// producer id, transactions without one. Kafka's broker checks the same, and every record too.
    public func validateProduced(_ rules: ProduceRules) throws(WireError) {
        guard header.sizeBytes <= rules.maximumBatchBytes else {
            throw .batch(.limitExceeded, "\(header.sizeBytes) bytes; \(rules.maximumBatchBytes) are allowed")
        }
        try validateChecksum()
        try validateCounts()
        try validateAttributes(rules)
        try validateProducer()
    }

    /// Throws `.corruptBatch` unless the CRC is that of the bytes.
    public func validateChecksum() throws(WireError) {
        let computed = RecordBatchHeader.checksum(of: bytes)
        guard computed == header.crc else {
            throw .batch(
                .corruptBatch,
                "CRC \(String(header.crc, radix: 16)) stated, \(String(computed, radix: 16)) computed")
        }
    }

    /// The fewest bytes of a record: six fields and the number of headers, a byte each.
    private static let minimumRecordBytes = 7

    private func validateCounts() throws(WireError) {
        guard header.recordCount > 0 else { throw .batch(.invalidBatch, "\(header.recordCount) records") }
        guard header.lastOffsetDelta == header.recordCount - 1 else {
            throw .batch(
                .invalidBatch, "\(header.recordCount) records with a last offset delta of \(header.lastOffsetDelta)")
        }
        guard header.attributes.compression == .some(.none) else { return }
        guard Int(header.recordCount) <= recordBytes.count / RecordBatch.minimumRecordBytes else {
            throw .batch(.invalidBatch, "\(header.recordCount) records in \(recordBytes.count) bytes")
        }
    }

    private func validateAttributes(_ rules: ProduceRules) throws(WireError) {
        guard let compression = header.attributes.compression else {
            throw .batch(.unsupportedCompression, "codec \(header.attributes.rawValue & 7)")
        }
        guard compression != .zstd || rules.allowsZstandard else {
            throw .batch(.unsupportedCompression, "zstd needs version 7 of Produce")
        }
        guard compression == .none || !recordBytes.isEmpty else {
            throw .batch(.invalidBatch, "\(compression.name) of no bytes")
        }
        guard !header.attributes.isLogAppendTime else {
            throw .batch(.invalidTimestamp, "only the broker stamps LogAppendTime")
        }
        guard !header.attributes.isControl, !header.attributes.hasDeleteHorizon else {
            throw .batch(.invalidBatch, "producers may not write control batches or set a delete horizon")
        }
    }

    private func validateProducer() throws(WireError) {
        guard header.producerId >= -1 else { throw .batch(.invalidBatch, "producer id \(header.producerId)") }
        guard header.hasProducer else {
            guard !header.attributes.isTransactional else {
                throw .batch(.invalidBatch, "a transaction without a producer id")
            }
            return
        }
        guard header.producerEpoch >= 0 else {
            throw .batch(.invalidBatch, "producer epoch \(header.producerEpoch)")
        }
        guard header.baseSequence >= 0 else {
            throw .batch(.invalidBatch, "base sequence \(header.baseSequence)")
        }
    }
}

/// What a `records` field of a produce request holds.
public struct ProducedRecords: Sendable, Equatable {
    /// The number of batches; Kafka's clients send one.
    public private(set) var batchCount = 0
    /// The number of records in all of them.
    public private(set) var recordCount = 0

    /// Checks every batch of a `records` field (`RecordBatch.validateProduced`). No batch at all is `.invalidBatch`.
    public init(validating bytes: UnsafeRawBufferPointer, _ rules: ProduceRules) throws(WireError) {
        var batches = RecordBatches(bytes)
        while let batch = try batches.next() {
            try batch.validateProduced(rules)
            batchCount += 1
            recordCount += Int(batch.header.recordCount)
        }
        guard batchCount > 0 else { throw .batch(.invalidBatch, "no records") }
    }
}
