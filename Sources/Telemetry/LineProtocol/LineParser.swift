/// Reads line protocol as InfluxDB 1.x does: which lines it takes, which it refuses, and why. One deviation: a carriage
/// return in front of a newline belongs to the line's end (InfluxDB 1.x refuses numbers in front of one, and takes it
/// for a part of strings; 2.x and 3.x do as we do).
///
/// It goes over bytes that stay where they are, and allocates for the first lines only. After `next()` returned
/// `.point`, `key`, `fields` and `time` tell of the line; all positions are those of the bytes.
///
///     var parser = LineParser(bytes, precision: .seconds)
///     while true {
///         switch parser.next() {
///         case .point: use(parser.key, parser.fields, parser.time)
///         case .refused: report(parser.refusal)
///         case .end: return
///         }
///     }
public struct LineParser: ~Copyable {
    /// What `next()` came upon.
    public enum Step: Sendable, Equatable {
        /// A line with a point.
        case point
        /// A line that is refused.
        case refused(LineFailure)
        /// There are no more lines.
        case end
    }

    /// The bytes that are read. At most 2 GiB; they must stay valid as long as the parser is used.
    public let bytes: UnsafeRawBufferPointer
    /// The unit of timestamps.
    public let precision: TimePrecision
    /// The last line without the blanks in front of it, and without its end.
    public internal(set) var line: Range<Int> = 0..<0
    /// Where the next line begins.
    public internal(set) var nextLine = 0
    /// Measurement and tags of the last point as written, and in the order in which they were written.
    public internal(set) var key: Range<Int> = 0..<0
    /// The time of the last point in nanoseconds since 1970; nil if the line has none.
    public internal(set) var time: Int64?

    var marks: MarkCursor
    /// Fields of the last point, and room for more.
    var fieldRoom: UnsafeMutableBufferPointer<LineField>
    var fieldCount = 0
    /// For lines that are read byte by byte.
    var tagKeys: [Range<Int>] = []
    /// For the tags of a line that are not in order.
    var tagRoom: UnsafeMutableBufferPointer<Range<Int>>

    /// The most tags of a line that is read the short way.
    static let mostPlainTags = 64

    /// A parser in front of the first line.
    public init(_ bytes: UnsafeRawBufferPointer, precision: TimePrecision = .nanoseconds) {
        precondition(bytes.count <= Int(Int32.max), "too many bytes for 32-bit positions")
        self.bytes = bytes
        self.precision = precision
        fieldRoom = .allocate(capacity: 32)
        tagRoom = .allocate(capacity: Self.mostPlainTags)
        tagRoom.initialize(repeating: 0..<0)
        // Without bytes nothing is read through the pointer.
        let start = bytes.baseAddress ?? UnsafeRawPointer(tagRoom.baseAddress!)
        marks = MarkCursor(start.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    }

    deinit {
        fieldRoom.deallocate()
        tagRoom.deallocate()
    }

    /// The fields of the last point in the order in which they were written, without those named `time`, which InfluxDB
    /// ignores. A key may occur twice: the last counts. Valid until the next call of `next()`.
    @inlinable
    public var fields: UnsafeBufferPointer<LineField> { UnsafeBufferPointer(rebasing: allFields) }

    @usableFromInline
    var allFields: Slice<UnsafeBufferPointer<LineField>> { UnsafeBufferPointer(fieldRoom)[..<fieldCount] }

    /// Goes to the next line that is neither empty nor a comment.
    public mutating func next() -> Step {
        while nextLine < bytes.count {
            let start = nextLine
            fieldCount = 0
            if readPlainLine(from: start) { return .point }
            if let step = readAnyLine(from: start) { return step }
        }
        return .end
    }

    /// Why the last line was refused, as InfluxDB says it: `unable to parse 'LINE': REASON`, or for points that are
    /// dropped (`LineFailure.isUnreadable` is false) the reason alone. Of a long line the first 1,024 bytes are quoted.
    public func text(of failure: LineFailure) -> String {
        let line = bytes[slice: self.line]
        let reason = failure.reason(line: line, measurement: String(decoding: measurement, as: UTF8.self))
        guard failure.isUnreadable else { return reason }
        let quoted = String(decoding: line.prefix(1_024), as: UTF8.self)
        return "unable to parse '\(quoted)\(line.count > 1_024 ? "…" : "")': \(reason)"
    }

    /// The measurement of the last line, unescaped.
    private var measurement: [UInt8] {
        var name: [UInt8] = []
        guard !key.isEmpty else { return name }
        let end = LineGrammar.find(LineGrammar.comma, bytes[slice: key], from: 0)
        LineEscaping.unescape(bytes[slice: key.lowerBound..<key.lowerBound + end], .measurement, into: &name)
        return name
    }

    @inline(__always)
    mutating func add(_ field: LineField) {
        if fieldCount == fieldRoom.count { growFields() }
        fieldRoom.initializeElement(at: fieldCount, to: field)
        fieldCount += 1
    }

    private mutating func growFields() {
        let larger = UnsafeMutableBufferPointer<LineField>.allocate(capacity: fieldRoom.count * 2)
        _ = larger.moveInitialize(fromContentsOf: fieldRoom)
        fieldRoom.deallocate()
        fieldRoom = larger
    }
}
