import Bytes
import KafkaWire
import Machine

/// Batches without records that stand for offsets whose records are lost, so that batches still follow each other
/// without gaps. Kafka's compaction leaves such batches too, so consumers step over them.
enum FillerBatch {
    /// Batches for the offsets `range`; one unless there are more than 2^31.
    static func bytes(for range: Range<Int64>) -> [UInt8] {
        var writer = ByteWriter()
        var from = range.lowerBound
        while from < range.upperBound {
            let count = min(range.upperBound - from, Int64(Int32.max))
            var header = RecordBatchHeader()
            header.baseOffset = from
            header.lastOffsetDelta = Int32(count - 1)
            let start = writer.count
            header.encode(into: &writer)
            writer.withUnsafeMutableBytes { bytes in
                RecordBatchHeader.recomputeChecksum(of: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
            }
            from += count
        }
        return writer.array()
    }

    /// Writes them at `position` of a segment, durably. The file is replaced, not changed: it may have another name in a
    /// backup.
    ///
    /// - Returns: where they end.
    static func write(
        _ range: Range<Int64>, to path: String, at position: Int64, _ files: any FileSystem
    ) throws(MachineError) -> Int64 {
        let unfinished = path + SegmentName.unfinished
        let copy = try files.open(unfinished, .replace)
        defer { copy.close() }
        if position > 0 {
            let file = try files.open(path, .read)
            defer { file.close() }
            try CheckedFile(file, copyTo: copy) { _ in }.finish(upTo: position)
        }
        let bytes = bytes(for: range)
        try bytes.withBytes { bytes throws(MachineError) in try copy.write(bytes, at: position) }
        try copy.synchronize()
        try files.rename(unfinished, to: path)
        return position + Int64(bytes.count)
    }
}
