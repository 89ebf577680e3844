import Bytes
import Log
import Machine
import Telemetry

/// Lines of one stream on their way into a push. A value.
struct LogsBatch {
    /// The most bytes of lines in a push. One line alone may have more.
    private static let maximumBytes = 1 << 20

    private let labels: String
    private let readsTimes: Bool
    /// The entries of the stream, as protobuf.
    private var entries: [UInt8] = []
    /// The lines that were added.
    private(set) var lines = 0
    /// Their bytes.
    private(set) var bytes = 0
    private var last = Int64.min

    init(labels: [NamedValue], readsTimes: Bool) {
        self.labels = StreamLabels(labels.map { StreamLabels.Label($0.name, $0.value) }).text
        self.readsTimes = readsTimes
    }

    var isEmpty: Bool { lines == 0 }
    var isFull: Bool { bytes >= Self.maximumBytes }

    /// The time of lines that come now, in nanoseconds.
    static var now: Int64 { Machine.posix().clock.wallMilliseconds().multipliedReportingOverflow(by: 1_000_000).0 }

    /// Adds a line. One without a time of its own gets `now`, or the nanosecond after the line before: the order stays,
    /// and of equal lines none is taken for a repetition.
    mutating func add(_ line: ArraySlice<UInt8>, now: Int64) {
        let own = readsTimes ? line.withUnsafeBytes { LineTime.parsePrefix($0)?.time } : nil
        let after = last == .max || last == .min ? last : last + 1
        // A line without a time in front belongs to the one before it: a stack trace.
        let time = own ?? (readsTimes && last != .min ? after : max(now, after))
        last = time
        let seconds = time >= 0 ? time / 1_000_000_000 : (time + 1) / 1_000_000_000 - 1
        var timestamp: [UInt8] = []
        Self.append(1, number: UInt64(bitPattern: seconds), to: &timestamp)
        Self.append(2, number: UInt64(time - seconds * 1_000_000_000), to: &timestamp)
        var entry: [UInt8] = []
        Self.append(1, timestamp[...], to: &entry)
        Self.append(2, line, to: &entry)
        Self.append(2, entry[...], to: &entries)
        lines += 1
        bytes += line.count
    }

    /// The push as Loki takes it, and nothing is left in here.
    mutating func take() throws(BytesError) -> [UInt8] {
        defer {
            entries = []
            (lines, bytes) = (0, 0)
        }
        var stream: [UInt8] = []
        Self.append(1, Array(labels.utf8)[...], to: &stream)
        stream += entries
        var push: [UInt8] = []
        Self.append(1, stream[...], to: &push)
        var writer = ByteWriter(capacity: push.count)
        try push.withBytes { bytes throws(BytesError) in try Compression.snappy.compress(bytes, into: &writer) }
        return writer.array()
    }

    private static func append(_ field: UInt8, number: UInt64, to message: inout [UInt8]) {
        message.append(field << 3)
        append(varint: number, to: &message)
    }

    private static func append(_ field: UInt8, _ bytes: ArraySlice<UInt8>, to message: inout [UInt8]) {
        message.append(field << 3 | 2)
        append(varint: UInt64(bytes.count), to: &message)
        message += bytes
    }

    private static func append(varint: UInt64, to message: inout [UInt8]) {
        var rest = varint
        while rest >= 0x80 {
            message.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        message.append(UInt8(rest))
    }
}
