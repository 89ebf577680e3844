import Telemetry

/// The lines of a request, checked: which bytes go into which partition's records, and what is refused. Pure.
struct LineAdmission {
    /// Why requests and lines are bounded.
    struct Bounds {
        var recordBytes: Int
        var lineBytes: Int
        var explainedLines: Int
        var partitions: Int
    }

    /// The good lines by partition.
    private(set) var streams: [LineStream]
    /// The points among them.
    private(set) var pointCount = 0
    /// Whether there is one without a time of its own.
    private(set) var needsTime = false
    /// What was refused.
    private(set) var refusal = WriteRefusal(written: 0)
    private let bounds: Bounds
    private var key = SeriesKey()
    private var canonical: [UInt8] = []

    /// Whether every line is good.
    var isWhole: Bool { refusal.unreadable == 0 && refusal.dropped == 0 }

    /// Checks all lines of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer, precision: TimePrecision, bounds: Bounds) {
        self.bounds = bounds
        streams = Array(repeating: LineStream(recordBytes: bounds.recordBytes), count: bounds.partitions)
        var parser = LineParser(bytes, precision: precision)
        var start = 0
        while true {
            switch parser.next() {
            case .point:
                if parser.nextLine - start > bounds.lineBytes, parser.line.count > bounds.lineBytes - 1 {
                    refuseLength(parser)
                } else {
                    pointCount += 1
                    if parser.time == nil { needsTime = true }
                    // Comments and empty lines in front of a point stay with it, if there is room.
                    if parser.nextLine - start > bounds.lineBytes { start = parser.line.lowerBound }
                    let partition = bounds.partitions == 1 ? 0 : route(bytes, parser.key)
                    streams[partition].take(start..<parser.nextLine)
                }
            case .refused(let failure): refuse(failure, parser)
            case .end: return
            }
            start = parser.nextLine
        }
    }

    /// The partition of a series: the same for every way to write its key.
    private mutating func route(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
        key.parse(UnsafeRawBufferPointer(rebasing: bytes[range]))
        canonical.removeAll(keepingCapacity: true)
        key.appendCanonical(to: &canonical)
        // FNV-1a: what a key hashes to decides where its points are, so it must never change.
        let hash = canonical.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        return Int(hash % UInt64(bounds.partitions))
    }

    private mutating func refuse(_ failure: LineFailure, _ parser: borrowing LineParser) {
        if failure.isUnreadable {
            refusal.unreadable += 1
            guard refusal.unreadable <= bounds.explainedLines else { return refusal.unexplained += 1 }
        } else {
            refusal.dropped += 1
            // InfluxDB tells the first reason.
            guard refusal.dropped == 1 else { return }
        }
        explain(parser, parser.text(of: failure))
    }

    private mutating func refuseLength(_ parser: borrowing LineParser) {
        refusal.dropped += 1
        guard refusal.dropped == 1 else { return }
        explain(parser, "line is too long, \(parser.line.count) > \(bounds.lineBytes - 1)")
    }

    private mutating func explain(_ parser: borrowing LineParser, _ reason: String) {
        let number = parser.bytes[..<parser.line.lowerBound].count { $0 == 10 } + 1
        let text = String(decoding: parser.bytes[parser.line].prefix(1_024), as: UTF8.self)
        refusal.lines.append(WriteRefusal.Line(number: number, text: text, reason: reason))
    }
}

/// Ranges of a request's bytes, one behind the other, cut into values of records at line ends.
struct LineStream {
    /// The ranges, in order.
    private(set) var segments: [Range<Int>] = []
    /// Where the records begin, counted in the bytes of the stream.
    private(set) var cuts: [Int] = [0]
    /// The bytes of the stream.
    private(set) var count = 0
    private let recordBytes: Int

    init(recordBytes: Int) { self.recordBytes = recordBytes }

    /// Adds a line with its newline.
    @inline(__always)
    mutating func take(_ line: Range<Int>) {
        let start = cuts[cuts.count - 1]
        if count - start + line.count > recordBytes, count > start { cuts.append(count) }
        count += line.count
        if let last = segments.last, last.upperBound == line.lowerBound {
            segments[segments.count - 1] = last.lowerBound..<line.upperBound
        } else {
            segments.append(line)
        }
    }

    /// The records' values.
    var records: [Range<Int>] {
        zip(cuts, cuts.dropFirst() + [count]).map { $0..<$1 }
    }

    /// Calls `body` with the bytes of the stream in one piece: those of the request if nothing was left out.
    func withBytes<R>(of request: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        if segments.count == 1 { return body(UnsafeRawBufferPointer(rebasing: request[segments[0]])) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for segment in segments { bytes.append(contentsOf: request[segment]) }
        return bytes.withUnsafeBytes(body)
    }
}
