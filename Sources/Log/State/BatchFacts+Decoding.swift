import KafkaWire

extension BatchFacts {
    static var headerBytes: Int { RecordBatchHeader.byteCount }
    /// Bytes before what the length field counts.
    static var prefixBytes: Int { RecordBatchHeader.lengthEnd }
    /// Where the checksum's coverage begins.
    static let checkedFrom = 21

    /// Reads a header of format v2 without believing it: lengths, counts and offsets are checked against each other.
    ///
    /// - Returns: nil with a reason in `fault` if the bytes are no header of a batch.
    init?(header bytes: UnsafeRawBufferPointer, fault: inout String) {
        let header: RecordBatchHeader
        do {
            header = try RecordBatchHeader(parsing: bytes)
        } catch {
            fault = error.message
            return nil
        }
        guard header.baseOffset >= 0, header.lastOffsetDelta >= 0, header.recordCount >= 0,
            header.baseOffset <= Int64.max - Int64(Int32.max) - 1
        else {
            fault = """
                base offset \(header.baseOffset), last offset delta \(header.lastOffsetDelta), \
                \(header.recordCount) records
                """
            return nil
        }
        baseOffset = header.baseOffset
        lastOffsetDelta = header.lastOffsetDelta
        sizeBytes = header.sizeBytes
        leaderEpoch = header.partitionLeaderEpoch
        recordCount = header.recordCount
        maxTimestamp = header.maxTimestamp
        producerID = header.producerId
        producerEpoch = header.producerEpoch
        baseSequence = header.baseSequence
        isTransactional = header.attributes.isTransactional
        isControl = header.attributes.isControl
        usesLogAppendTime = header.attributes.isLogAppendTime
    }

    /// The checksum that the header names.
    static func checksum(inHeader bytes: UnsafeRawBufferPointer) -> UInt32 {
        bytes.bigEndian(17)
    }
}
