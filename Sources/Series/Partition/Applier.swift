import KafkaWire
import Telemetry
import View

/// Applies records in the order of the log: the part of a partition that one thread at a time has. What it accepts and
/// refuses depends on the log alone.
final class Applier: @unchecked Sendable {
    // Safe because it stands behind a `Mutex`, which its owner holds while it uses it.
    var state: SeriesState
    var head: HeadWriter
    /// Tells whether a series is in blocks or in the frozen head; asked only at a bound on cardinality.
    let stored: any StoredSeries
    /// Which stretch of time sketches were last cleared of, by retention policy.
    var expired: [[UInt8]: Int64] = [:]
    /// Whether policies or tombstones changed, which readers have to learn.
    var isStateChanged = false
    /// Whether the state of a manifest was taken over.
    var hasBegun = false

    /// The names in `state.fields`; nil if not known.
    var measurements: Set<[UInt8]>?
    /// What the batch's refusals say of the worst tag: found once per batch, as it takes a look at all tags.
    var worstTag: (measurement: [UInt8], tag: [UInt8], values: Int)??

    // Room that is used again for each line.
    var key = Telemetry.SeriesKey()
    var pending: [PendingField] = []
    var text: [UInt8] = []
    var codes: [UInt32] = []
    var shape: [UInt16] = []

    init(state: SeriesState, head: HeadWriter, stored: any StoredSeries) {
        self.state = state
        self.head = head
        self.stored = stored
    }

    /// Applies a batch.
    func apply(_ records: [RecordView], now: Int64, isControl: Bool) -> [Rejection] {
        var rejections: [Rejection] = []
        worstTag = nil
        expireSketches(nowMilliseconds: now)
        for record in records {
            if isControl {
                applyControl(record, &rejections)
            } else {
                applyLines(of: record, now: now, &rejections)
            }
        }
        head.publish()
        return rejections
    }

    private func applyLines(of record: RecordView, now: Int64, _ rejections: inout [Rejection]) {
        guard let value = record.value, !value.isEmpty else { return }
        let context: LineContext
        switch LineContext.reading(record, now: now, state) {
        case .success(let read): context = read
        case .failure(let refusal):
            rejections.append(
                Rejection(offset: record.offset, position: 0, content: Self.excerpt(value), reason: refusal.reason))
            return
        }
        let prefixes = head.prefixes(of: context.policy.name)
        var parser = LineParser(value, precision: context.precision)
        while true {
            let reason: String
            switch parser.next() {
            case .end: return
            case .refused(let failure): reason = parser.text(of: failure)
            case .point:
                let refusal = applyPoint(
                    key: UnsafeRawBufferPointer(rebasing: value[parser.key]), fields: parser.fields, of: value,
                    time: parser.time ?? context.time, context, prefixes)
                guard let refusal else { continue }
                reason = refusal.reason
            }
            let line = UnsafeRawBufferPointer(rebasing: value[parser.line])
            rejections.append(
                Rejection(
                    offset: record.offset, position: parser.line.lowerBound, content: Self.excerpt(line),
                    reason: reason))
        }
    }

    static func excerpt(_ bytes: UnsafeRawBufferPointer) -> [UInt8] { [UInt8](bytes.prefix(1_024)) }

    /// Forgets, in the sketches, what retention has removed by now. When it happens depends on the records' times only:
    /// it is looked at with every batch, and does something when a stretch of time has just ended.
    private func expireSketches(nowMilliseconds: Int64) {
        for policy in state.retentionPolicies {
            guard let length = Cardinality.windowNanoseconds(of: policy) else { continue }
            let limit = LineContext.earliest(policy, nowMilliseconds: nowMilliseconds)
            let stretch = ShardWindow(containing: limit, nanoseconds: length).start
            guard expired[policy.name] != stretch else { continue }
            expired[policy.name] = stretch
            state.cardinality.expire(retentionPolicy: policy.name, before: limit, length: length)
        }
    }
}

/// A field of the line at hand, before the line is accepted.
struct PendingField {
    /// The field's number; -1 if the table does not have it yet.
    var field: Int32
    let source: LineField
}

/// What a record says of all its lines.
struct LineContext {
    let policy: RetentionPolicy
    let precision: TimePrecision
    /// The time of lines without one.
    let time: Int64
    /// Points before are refused.
    let earliest: Int64
    /// The length of the stretches that sketches tell apart; nil if points stay for ever.
    let sketchNanoseconds: Int64?

    /// Points behind count in a stretch of their own, which never ends: else times of the far future would make any
    /// number of stretches.
    let sketchHorizon: Int64

    /// The stretch of time that a point counts in; 0 where points stay for ever.
    @inline(__always)
    func sketchWindow(of time: Int64) -> Int64 {
        guard let sketchNanoseconds else { return 0 }
        guard time <= sketchHorizon else { return .max }
        return ShardWindow(containing: time, nanoseconds: sketchNanoseconds).start
    }

    /// Why a line or a record is refused.
    struct Refusal: Error {
        let reason: String
    }

    /// Reads the headers `rp`, `precision` and `time`.
    static func reading(_ record: RecordView, now: Int64, _ state: SeriesState) -> Result<LineContext, Refusal> {
        var name: [UInt8]?
        var precision = TimePrecision.nanoseconds
        var time = nanoseconds(now)
        for header in record.headerCount > 0 ? record.headers : [] {
            let value = header.value ?? []
            switch header.key {
            case "rp": name = value.isEmpty ? nil : value
            case "precision":
                let text = String(decoding: value, as: UTF8.self)
                guard let read = TimePrecision(name: text) else {
                    return .failure(Refusal(reason: "invalid precision \"\(text)\""))
                }
                precision = read
            case "time":
                let text = String(decoding: value, as: UTF8.self)
                guard let read = Int64(text), TimePrecision.times.contains(read) else {
                    return .failure(Refusal(reason: "invalid time \"\(text)\""))
                }
                time = read
            default: break
            }
        }
        guard let policy = state.policy(name) else {
            return .failure(
                Refusal(
                    reason: "retention policy not found: "
                        + String(decoding: name ?? state.defaultPolicyName, as: UTF8.self)))
        }
        let stretch = Cardinality.windowNanoseconds(of: policy)
        let (ahead, isFar) = (stretch ?? 0).multipliedReportingOverflow(by: 16)
        let (horizon, overflow) = nanoseconds(now).addingReportingOverflow(ahead)
        return .success(
            LineContext(
                policy: policy, precision: precision, time: time, earliest: earliest(policy, nowMilliseconds: now),
                sketchNanoseconds: stretch, sketchHorizon: isFar || overflow ? .max : horizon))
    }

    /// The first nanosecond that a policy keeps.
    static func earliest(_ policy: RetentionPolicy, nowMilliseconds: Int64) -> Int64 {
        guard policy.durationNanoseconds > 0 else { return .min }
        let (limit, overflow) = nanoseconds(nowMilliseconds).subtractingReportingOverflow(policy.durationNanoseconds)
        return overflow ? .min : limit
    }

    private static func nanoseconds(_ milliseconds: Int64) -> Int64 {
        let (value, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? TimePrecision.times.upperBound : max(TimePrecision.times.lowerBound, value)
    }
}
