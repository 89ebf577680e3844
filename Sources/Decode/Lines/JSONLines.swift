public import Telemetry

/// Lines that are JSON objects, one per line of text: `{"time":"…","message":"…","app":"shop","trace":"x"}`.
///
/// One member is the time, one the line, some are labels, the rest is structured metadata. An object without a message
/// is a line as it stands, with all its members. A line that is no object is a failure of the push; the others stand.
public struct JSONLines: Sendable {
    /// Members that are the time: the first of them in an object counts. Default `_time`, `time`, `timestamp`,
    /// `@timestamp`, `ts`.
    public var timeNames = ["_time", "time", "timestamp", "@timestamp", "ts"]
    /// Members that are the line. Default `_msg`, `message`, `msg`, `line`, `log`.
    public var messageNames = ["_msg", "message", "msg", "line", "log"]
    /// Members that are labels. Default none.
    public var streamNames: [String] = []
    /// Members that are left out. Default none.
    public var ignoredNames: [String] = []
    /// Labels of every line. Default none.
    public var labels: [StreamLabels.Label] = []

    /// The labels of lines that have no other.
    public static let defaultLabels = [StreamLabels.Label("source", "jsonline")]

    /// The defaults.
    public init() {}

    /// Decodes lines. Never fails as a whole.
    ///
    /// - Parameter now: the time of lines without one, in nanoseconds.
    public func decode(_ bytes: UnsafeRawBufferPointer, now: Int64) -> LinePush {
        var decoder = JSONLinesDecoder(self, bytes, now: now)
        // An object without a message stands there twice: what was read of it, and as it is.
        var arena = ByteArena(capacity: bytes.count * 2)
        var (start, number) = (0, 0)
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            number += 1
            decoder.take(start..<end, number: number, &arena)
            start = end + 1
        }
        decoder.push.bytes = arena.array()
        return decoder.push
    }
}

private struct JSONLinesDecoder {
    var push = LinePush()
    private let bytes: UnsafeRawBufferPointer
    private let now: Int64
    private let time: [[UInt8]]
    private let message: [[UInt8]]
    private let stream: [[UInt8]]
    private let ignored: [[UInt8]]
    private let constant: [StreamLabels.Label]
    /// The place of a stream in the push.
    private var places: [StreamLabels: Int] = [:]
    /// As a rule a line has the labels of the one before it.
    private var last: (labels: [StreamLabels.Label], place: Int)?

    init(_ lines: JSONLines, _ bytes: UnsafeRawBufferPointer, now: Int64) {
        self.bytes = bytes
        self.now = now
        time = lines.timeNames.map { Array($0.utf8) }
        message = lines.messageNames.map { Array($0.utf8) }
        stream = lines.streamNames.map { Array($0.utf8) }
        ignored = lines.ignoredNames.map { Array($0.utf8) }
        constant = lines.labels
    }

    /// What is known of a line while it is read.
    private struct Line {
        var time: Int64?
        var hasTime = false
        var message: Range<Int>?
        var labels: [StreamLabels.Label]
    }

    mutating func take(_ range: Range<Int>, number: Int, _ arena: inout ByteArena) {
        var cursor = JSONCursor(bytes, in: range)
        guard cursor.peek() != nil else { return }
        let firstField = push.fields.count
        var line = Line(labels: constant)
        do throws(DecodeError) {
            try cursor.object(&arena) { cursor, arena, name throws(DecodeError) in
                try member(name, &cursor, &arena, &line)
            }
            guard cursor.peek() == nil else { throw cursor.wrong("nothing was expected behind the object") }
            guard !line.hasTime || line.time != nil else { throw DecodeError(.malformed, "the time is none") }
        } catch {
            push.fields.removeSubrange(firstField...)
            return push.fail("line \(number): \(error.message)")
        }
        var text = line.message
        if text == nil {
            push.fields.removeSubrange(firstField...)
            text = arena.append(trimmed(range))
        }
        let entry = LinePush.Entry(
            time: line.time ?? now, line: text ?? 0..<0, metadata: firstField..<push.fields.count)
        push.streams[place(of: line.labels)].entries.append(entry)
    }

    private func trimmed(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        let isReturn = bytes[range].last == 0x0D
        return UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound..<range.upperBound - (isReturn ? 1 : 0)])
    }

    private mutating func member(
        _ name: Range<Int>, _ cursor: inout JSONCursor, _ arena: inout ByteArena, _ line: inout Line
    ) throws(DecodeError) {
        if !line.hasTime, isOne(of: time, name, arena) {
            line.hasTime = true
            let value = try value(&cursor, &arena)
            line.time = value.flatMap { LineTime.parse(arena.bytes(in: $0)) }
        } else if line.message == nil, isOne(of: message, name, arena) {
            line.message = try value(&cursor, &arena)
        } else if isOne(of: stream, name, arena) {
            guard let value = try value(&cursor, &arena) else { return }
            line.labels.append(StreamLabels.Label(Self.labelName(arena.text(name)), arena.text(value)))
        } else if isOne(of: ignored, name, arena) {
            _ = try cursor.value()
        } else if let value = try value(&cursor, &arena) {
            push.fields.append(LinePush.Field(name: name, value: value))
        }
    }

    private func isOne(of names: [[UInt8]], _ name: Range<Int>, _ arena: borrowing ByteArena) -> Bool {
        if names.isEmpty { return false }
        let name = arena.bytes(in: name)
        for candidate in names where candidate.count == name.count && name.elementsEqual(candidate) { return true }
        return false
    }

    /// A string as it is meant, anything else as it is written; nil for `null`.
    private func value(_ cursor: inout JSONCursor, _ arena: inout ByteArena) throws(DecodeError) -> Range<Int>? {
        if cursor.peek() == UInt8(ascii: "\"") { return try cursor.string(&arena) }
        let text = UnsafeRawBufferPointer(rebasing: bytes[try cursor.value()])
        return text.elementsEqual("null".utf8) ? nil : arena.append(text)
    }

    /// What no label's name may hold becomes `_`.
    private static func labelName(_ name: String) -> String {
        var bytes = name.utf8.map { byte -> UInt8 in
            let isLetter = byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z") && byte < 0x80
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            return isLetter || isDigit ? byte : UInt8(ascii: "_")
        }
        if let first = bytes.first, first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9") {
            bytes.insert(UInt8(ascii: "_"), at: 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func place(of labels: [StreamLabels.Label]) -> Int {
        if let last, last.labels == labels { return last.place }
        var set = StreamLabels(labels)
        if set.labels.isEmpty { set = StreamLabels(JSONLines.defaultLabels) }
        let place = places[set] ?? push.streams.count
        if place == push.streams.count {
            push.streams.append(LinePush.Stream(labels: set, entries: []))
            places[set] = place
        }
        last = (labels, place)
        return place
    }
}
