import Bytes
import Columns
import KafkaWire
import Telemetry
import View

/// Applies records in the order of the log: the part of a partition that one thread at a time has. What it accepts and
/// refuses depends on the log alone.
final class LineApplier: @unchecked Sendable {
    // Safe because it stands behind a `Mutex`, which its owner holds while it uses it.
    var state = SearchState()
    var head = LineHeadWriter()
    /// Whether the state of a manifest was taken over.
    var hasBegun = false
    /// Whether deletions or retention changed, which readers have to learn.
    var isStateChanged = false
    /// Changes when streams have to be looked at again: with the bounds, and with the stretch of time.
    var epoch: Int64 = 0
    /// The labels of records without a key that is a set of labels; and their text.
    let topicLabels: StreamLabels
    let topicText: [UInt8]
    let topicHash: UInt64
    /// The headers of the record at hand as they were written, without `ns`.
    var headers = ByteWriter()

    init(topic: String) {
        topicLabels = StreamLabels([StreamLabels.Label("topic", topic)])
        topicText = Array(topicLabels.text.utf8)
        topicHash = topicText.withUnsafeBytes { BytesHash.hash($0) }
    }

    /// The longest line, whatever the bounds say: what the head's memory takes.
    static let maximumLineBytes = Int64(ByteArena.maximumStringBytes)

    /// Applies a batch.
    func apply(_ records: [RecordView], now: Int64, isControl: Bool) -> [Rejection] {
        var rejections: [Rejection] = []
        if state.streams.advance(to: now) { epoch += 1 }
        for record in records {
            if isControl {
                applyControl(record, &rejections)
            } else if let refusal = applyLine(record, now: now) {
                rejections.append(
                    Rejection(
                        offset: record.offset, position: 0, content: Self.excerpt(record.value), reason: refusal.reason)
                )
            }
        }
        head.publish()
        return rejections
    }

    static func excerpt(_ bytes: UnsafeRawBufferPointer?) -> [UInt8] { bytes.map { [UInt8]($0.prefix(1_024)) } ?? [] }

    @inline(__always)
    private func applyLine(_ record: RecordView, now: Int64) -> LineRefusal? {
        // A record without a value is no line.
        guard let line = record.value else { return nil }
        let stream: Int
        var keyAsMetadata: UnsafeRawBufferPointer?
        switch resolveStream(record.key, &keyAsMetadata) {
        case .success(let found): stream = found
        case .failure(let refusal): return refusal
        }
        let limit = min(state.limits.lineBytes, Self.maximumLineBytes)
        guard line.count <= limit else { return .lineTooLong(line.count, limit, head.streams[stream].labels) }
        let fraction = readHeaders(record)
        // -1 is Kafka's word for no time, unless a part of that millisecond is told.
        let milliseconds = record.timestamp == -1 && fraction == nil ? now : record.timestamp
        let (whole, isFar) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (time, isBeyond) = whole.addingReportingOverflow(fraction ?? 0)
        guard !isFar, !isBeyond else { return .time(milliseconds) }
        var set: UInt32 = 0
        if headers.count > 0 || keyAsMetadata != nil {
            switch resolveMetadata(record, key: keyAsMetadata, stream) {
            case .success(let found): set = found
            case .failure(let refusal): return refusal
            }
        }
        let (told, means) = (head.streams[stream].level, head.metadata.levels[Int(set)])
        head.append(stream: stream, time: time, line: line, metadata: set) {
            if let level = means.level, means.isFirst || told == nil { return level }
            return told ?? LevelDetection.level(of: line)
        }
        return nil
    }

    /// Reads the header `ns`, and keeps the others' bytes in `headers`.
    ///
    /// - Returns: the nanoseconds within the millisecond; nil without a header of 1 to 6 digits.
    @inline(__always)
    private func readHeaders(_ record: RecordView) -> Int64? {
        headers.truncate(to: 0)
        guard record.headerCount > 0 else { return nil }
        var fraction: Int64?
        record.visitHeaders { key, value, encoded in
            if fraction == nil, key.count == 2, key[0] == UInt8(ascii: "n"), key[1] == UInt8(ascii: "s"),
                let found = Self.fraction(value)
            {
                fraction = found
            } else {
                headers.write(contentsOf: encoded)
            }
        }
        return fraction
    }

    /// The number that 1 to 6 digits are.
    @inline(__always)
    static func fraction(_ text: UnsafeRawBufferPointer?) -> Int64? {
        guard let text, (1...6).contains(text.count) else { return nil }
        var value: Int64 = 0
        for byte in text {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return value
    }
}

/// Commands.
extension LineApplier {
    /// Applies a control record. One that is no command of ours (a transaction's marker) is nothing to this view.
    private func applyControl(_ record: RecordView, _ rejections: inout [Rejection]) {
        guard let key = record.key, let value = record.value,
            ControlRecord.key.withUnsafeBytes({ equalBytes($0, key) })
        else { return }
        do throws(SearchError) {
            try apply(try SearchCommandCodec.decode(value), offset: record.offset)
        } catch {
            rejections.append(
                Rejection(
                    offset: record.offset, position: 0, content: Self.excerpt(value), reason: error.description,
                    count: 0))
        }
    }

    private func apply(_ command: SearchCommand, offset: Int64) throws(SearchError) {
        switch command {
        case .delete(let command):
            let deletion = try Deletion(command, offset: offset)
            head.mask(deletion)
            state.deletions.append(deletion)
        case .setRetention(let command): state.retention = try RetentionRules(command)
        case .setLimits(let limits):
            state.limits = limits
            // What was within the old bounds is looked at again.
            head.metadata.forgetWritten()
            epoch += 1
        }
        isStateChanged = true
    }
}
