import Bytes
import KafkaWire
import Log

/// A group as the log tells it.
struct RestoredGroup: Sendable {
    var snapshot: GroupSnapshot?
    /// The record that `snapshot` was read from.
    var value: [UInt8]?
    var stateMilliseconds: Int64 = -1
    var offsets = GroupOffsets()

    var isNothing: Bool { value == nil && offsets.isEmpty }
}

/// Reads the groups of one partition of `__consumer_offsets` back: the newest record of each key counts.
struct GroupReplay {
    /// Bytes read at once.
    private static let readBytes = 1 << 20
    /// Decompressed bytes of a batch. The coordinator does not compress; another program that wrote the topic may have.
    private static let decompressionLimit = 64 << 20

    let partition: Partition
    private(set) var groups: [String: RestoredGroup] = [:]

    init(_ partition: Partition) {
        self.partition = partition
    }

    /// - Throws: if the partition cannot be read to its end.
    mutating func run() throws(LogError) {
        let end = try partition.latestOffset()
        var offset = partition.logStartOffset
        var buffer: [UInt8] = []
        while offset < end {
            let slice = try partition.read(from: offset, maximumBytes: Self.readBytes, atLeastOneBatch: true)
            guard !slice.isEmpty else { break }
            if buffer.count < slice.count { buffer = [UInt8](repeating: 0, count: slice.count) }
            offset = try buffer.withMutableBytes { bytes throws(LogError) in
                let count = try slice.read(into: bytes)
                return try replay(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
        }
        // Damage ends the log for readers: what is behind it is not known.
        if let fence = partition.fenceReason { throw fence }
    }

    /// - Returns: the offset behind the bytes.
    private mutating func replay(_ bytes: UnsafeRawBufferPointer) throws(LogError) -> Int64 {
        var batches = RecordBatches(bytes)
        var end = Int64(-1)
        while true {
            do {
                guard let batch = try batches.next() else { return end }
                end = batch.header.baseOffset + Int64(batch.header.lastOffsetDelta) + 1
                guard !batch.header.attributes.isControl else { continue }
                replay(batch)
            } catch {
                // Without its header it is not known where the next batch begins.
                throw LogError(.damaged, "\(partition.label): a batch after offset \(end) is unreadable", cause: error)
            }
        }
    }

    /// What is not understood is reported, and passed over: one bad record must not take everybody's offsets.
    private mutating func replay(_ batch: RecordBatch) {
        do {
            try batch.validateChecksum()
            var records = try RecordIterator(batch, decompressionLimit: Self.decompressionLimit)
            while let record = try records.next() {
                do {
                    guard let key = record.key else { throw BytesError(code: .malformed, message: "no key") }
                    apply(try GroupRecord(key: key, value: record.value), record)
                } catch {
                    partition.report(.warning, "the record at offset \(record.offset) is skipped: \(error)")
                }
            }
        } catch {
            partition.report(.error, "the batch at offset \(batch.header.baseOffset) is skipped: \(error)")
        }
    }

    private mutating func apply(_ parsed: GroupRecord, _ record: RecordView) {
        switch parsed {
        case .offset(let group, let place, let value):
            groups[group, default: RestoredGroup()].offsets.load(place, value, at: record.offset)
        case .group(let group, let snapshot, let time):
            groups[group, default: RestoredGroup()].snapshot = snapshot
            groups[group]?.value = record.value.map(Array.init)
            groups[group]?.stateMilliseconds = time
        case .unknown(let version):
            partition.report(.warning, "the record at offset \(record.offset) is skipped: key version \(version)")
        }
    }
}
