// Changes to a batch in place. Each takes the bytes of one whole batch, whose header was parsed before.

extension RecordBatchHeader {
    /// Writes the offset and the leader epoch that the broker gives to the batch. The CRC does not cover them.
    public static func assign(
        baseOffset: Int64, partitionLeaderEpoch: Int32, in batch: UnsafeMutableRawBufferPointer
    ) {
        precondition(batch.count >= byteCount, "not a batch")
        batch.storeBytes(of: baseOffset.bigEndian, toByteOffset: 0, as: Int64.self)
        batch.storeBytes(of: partitionLeaderEpoch.bigEndian, toByteOffset: 12, as: Int32.self)
    }

    /// Stamps the batch with the broker's time, in milliseconds since 1970, and recomputes its CRC.
    public static func assign(logAppendTime: Int64, in batch: UnsafeMutableRawBufferPointer) {
        precondition(batch.count >= byteCount, "not a batch")
        let attributes = Int16(bigEndian: batch.loadUnaligned(fromByteOffset: 21, as: Int16.self)) | 1 << 3
        batch.storeBytes(of: attributes.bigEndian, toByteOffset: 21, as: Int16.self)
        batch.storeBytes(of: logAppendTime.bigEndian, toByteOffset: 35, as: Int64.self)
        recomputeChecksum(of: batch)
    }

    /// Writes a producer's id, epoch and sequence into the batch and recomputes its CRC: for a producer that builds
    /// batches before it knows them, or that begins again with a new epoch.
    public static func assign(
        producerId: Int64, producerEpoch: Int16, baseSequence: Int32, in batch: UnsafeMutableRawBufferPointer
    ) {
        precondition(batch.count >= byteCount, "not a batch")
        batch.storeBytes(of: producerId.bigEndian, toByteOffset: 43, as: Int64.self)
        batch.storeBytes(of: producerEpoch.bigEndian, toByteOffset: 51, as: Int16.self)
        batch.storeBytes(of: baseSequence.bigEndian, toByteOffset: 53, as: Int32.self)
        recomputeChecksum(of: batch)
    }

    /// Writes the CRC that the batch's bytes have.
    public static func recomputeChecksum(of batch: UnsafeMutableRawBufferPointer) {
        let crc = checksum(of: UnsafeRawBufferPointer(batch))
        batch.storeBytes(of: crc.bigEndian, toByteOffset: 17, as: UInt32.self)
    }
}
