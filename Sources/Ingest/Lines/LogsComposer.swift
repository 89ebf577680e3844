import Bytes
import Decode
import KafkaWire

/// Makes batches of log records, which docs/formats/log-records.md describes: one record per line. Pure.
struct LogsComposer: ~Copyable {
    /// Batches of at most so many bytes, if a line is not larger.
    private let batchBytes: Int
    private var batches: RecordBatchSequence
    private var headers = ByteWriter(capacity: 1_024)

    /// - Parameter capacity: about what the records will take.
    init(batchBytes: Int, capacity: Int) {
        self.batchBytes = batchBytes
        batches = RecordBatchSequence(capacity: capacity)
    }

    /// What one line takes at most beside key, line and metadata: the record's frame and the header `ns`.
    static let frameBytes = 64

    /// Appends the records of a stream's lines.
    mutating func add(_ stream: LogsAdmission.Stream, of push: LinePush) {
        stream.key.withUnsafeBytes { key in
            push.bytes.withUnsafeBytes { bytes in
                for entry in stream.entries { add(entry, key, bytes, push.fields) }
            }
        }
    }

    /// How many bytes the records of streams take at most, batches' own bytes included.
    static func capacity(for streams: [LogsAdmission.Stream], of push: LinePush, batchBytes: Int) -> Int {
        var bytes = RecordBatchHeader.byteCount
        for stream in streams {
            for entry in stream.entries {
                bytes += stream.key.count + entry.line.count + frameBytes
                for field in push.fields[entry.metadata] { bytes += field.name.count + field.value.count + 10 }
            }
        }
        return bytes + bytes / max(1, batchBytes / 2) * RecordBatchHeader.byteCount
    }

    @inline(__always)
    private mutating func add(
        _ entry: LinePush.Entry, _ key: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer,
        _ fields: [LinePush.Field]
    ) {
        let (milliseconds, nanoseconds) = Self.split(entry.time)
        headers.removeAll()
        var count = 0
        // First, and always there where there is metadata: a name `ns` among that is not taken for it.
        if nanoseconds > 0 || !entry.metadata.isEmpty {
            Self.write(nanoseconds: nanoseconds, into: &headers)
            count = 1
        }
        for field in fields[entry.metadata] {
            RecordBatchSequence.writeHeader(
                name: UnsafeRawBufferPointer(rebasing: bytes[field.name]),
                value: UnsafeRawBufferPointer(rebasing: bytes[field.value]), into: &headers)
            count += 1
        }
        let bound = key.count + entry.line.count + headers.count + Self.frameBytes
        if !batches.isBatchEmpty, batches.batchBytes + bound > batchBytes { batches.endBatch() }
        headers.withUnsafeBytes { headers in
            batches.append(
                key: key, value: UnsafeRawBufferPointer(rebasing: bytes[entry.line]), writtenHeaders: headers,
                headerCount: count, timestamp: milliseconds)
        }
    }

    /// The whole milliseconds at or before a time, and the nanoseconds from there.
    static func split(_ time: Int64) -> (milliseconds: Int64, nanoseconds: Int64) {
        let nanoseconds = time % 1_000_000
        let isBefore = nanoseconds < 0
        return (time / 1_000_000 - (isBefore ? 1 : 0), isBefore ? nanoseconds + 1_000_000 : nanoseconds)
    }

    private static func write(nanoseconds: Int64, into writer: inout ByteWriter) {
        var (rest, digits) = (nanoseconds, 1)
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        writer.writeVarint(2)
        writer.write(UInt8(ascii: "n"))
        writer.write(UInt8(ascii: "s"))
        writer.writeVarint(Int32(digits))
        var place: Int64 = 1
        for _ in 1..<max(digits, 1) { place *= 10 }
        while place > 0 {
            writer.write(UInt8(ascii: "0") + UInt8(nanoseconds / place % 10))
            place /= 10
        }
    }

    /// The batches, one behind the other.
    consuming func finish() -> RecordBatchSequence {
        batches.endBatch()
        return batches
    }
}
