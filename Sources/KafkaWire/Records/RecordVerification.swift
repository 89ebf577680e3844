extension RecordBatch {
    /// What `verifyRecords` found in a batch.
    public struct RecordSummary: Sendable, Equatable {
        /// The number of records.
        public var count = 0
        /// The bytes of their keys, values and headers.
        public var contentBytes = 0
        /// The largest timestamp, or -1.
        public var maxTimestamp: Int64 = -1

        /// Nothing yet.
        public init() {}
    }

    /// Checks the batch down to the last record: CRC, codec, every record's layout, offsets that rise within those of
    /// the header, and timestamps that do not pass the header's maximum.
    ///
    /// Offsets must be without a gap unless `allowsGaps`, as in a compacted log. For checks at rest
    /// (`millrace check`) and for tests; the broker's hot path does not look at records.
    public func verifyRecords(decompressionLimit: Int, allowsGaps: Bool = false) throws(WireError) -> RecordSummary {
        try validateChecksum()
        var summary = RecordSummary()
        var expected = header.baseOffset
        var records = try RecordIterator(self, decompressionLimit: decompressionLimit)
        while let record = try records.next() {
            guard record.offset == expected || (allowsGaps && record.offset > expected) else {
                throw .batch(.invalidBatch, "offset \(record.offset) where \(expected) is due")
            }
            guard record.offset <= header.lastOffset else {
                throw .batch(.invalidBatch, "offset \(record.offset) behind the last one, \(header.lastOffset)")
            }
            guard record.timestamp <= header.maxTimestamp else {
                throw .batch(.invalidBatch, "timestamp \(record.timestamp) above the largest, \(header.maxTimestamp)")
            }
            expected = record.offset &+ 1
            summary.count += 1
            summary.contentBytes += (record.key?.count ?? 0) + (record.value?.count ?? 0) + record.headerBytes.count
            summary.maxTimestamp = max(summary.maxTimestamp, record.timestamp)
        }
        guard allowsGaps || expected == header.nextOffset else {
            throw .batch(.invalidBatch, "\(summary.count) records, last offset \(header.lastOffset)")
        }
        return summary
    }
}
