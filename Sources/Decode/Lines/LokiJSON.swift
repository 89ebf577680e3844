import Telemetry

/// Loki's push as JSON: `{"streams":[{"stream":{"app":"x"},"values":[["<ns>","<line>",{"<name>":"<value>"}],…]},…]}`.
///
/// Text that is no JSON is refused as a whole. An entry that is no entry (a time that is no number, a line that is no
/// string) is a failure of the push, beside which the others stand; so are labels that are no strings, with the lines
/// of their stream. What nobody knows is skipped.
public enum LokiJSON {
    /// Decodes a push.
    ///
    /// - Throws: `.malformed` if it is no JSON or has no `streams`; `.limitReached` beyond 64 levels.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(DecodeError) -> LinePush {
        var decoder = LokiJSONDecoder(bytes)
        var arena = ByteArena(capacity: bytes.count)
        try decoder.decode(&arena)
        decoder.push.bytes = arena.array()
        return decoder.push
    }
}

private struct LokiJSONDecoder {
    var push = LinePush()
    private let bytes: UnsafeRawBufferPointer
    private var cursor: JSONCursor
    private var hasStreams = false

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        cursor = JSONCursor(bytes)
    }

    mutating func decode(_ arena: inout ByteArena) throws(DecodeError) {
        var cursor = self.cursor
        try cursor.object(&arena) { cursor, arena, name throws(DecodeError) in
            guard arena.bytes(in: name).elementsEqual("streams".utf8) else { return _ = try cursor.value() }
            hasStreams = true
            if try takeNull(&cursor) { return }
            try cursor.array(&arena) { cursor, arena throws(DecodeError) in try stream(&cursor, &arena) }
        }
        guard cursor.peek() == nil else { throw cursor.wrong("nothing was expected behind the object") }
        guard hasStreams else { throw DecodeError(.malformed, "the object has no \"streams\"") }
    }

    private func takeNull(_ cursor: inout JSONCursor) throws(DecodeError) -> Bool {
        guard cursor.peek() == UInt8(ascii: "n") else { return false }
        return try bytes[cursor.scalar()].elementsEqual("null".utf8)
    }

    private mutating func stream(_ cursor: inout JSONCursor, _ arena: inout ByteArena) throws(DecodeError) {
        var labels: [StreamLabels.Label]? = []
        var entries: [LinePush.Entry] = []
        var failures: [(index: Int, reason: String)] = []
        try cursor.object(&arena) { cursor, arena, name throws(DecodeError) in
            if arena.bytes(in: name).elementsEqual("stream".utf8) {
                labels = try self.labels(&cursor, &arena)
            } else if arena.bytes(in: name).elementsEqual("values".utf8) {
                if try takeNull(&cursor) { return }
                try cursor.array(&arena) { cursor, arena throws(DecodeError) in
                    let start = (cursor: cursor, fields: push.fields.count)
                    let result = try entry(&cursor, &arena)
                    guard case .refused(let reason) = result else {
                        if case .entry(let entry) = result { entries.append(entry) }
                        return
                    }
                    push.fields.removeSubrange(start.fields...)
                    cursor = start.cursor
                    _ = try cursor.value()
                    if failures.count < LinePush.maximumFailures {
                        failures.append((entries.count + failures.count, reason))
                    } else {
                        push.failureCount += 1
                    }
                }
            } else {
                _ = try cursor.value()
            }
        }
        guard let labels else {
            push.fail("stream \(push.streams.count + 1): labels are an object of names and strings")
            return
        }
        let set = StreamLabels(labels)
        for failure in failures { push.fail("stream \(set.text), entry \(failure.index + 1): \(failure.reason)") }
        push.streams.append(LinePush.Stream(labels: set, entries: entries))
    }

    /// - Returns: nil if these are no labels.
    private func labels(
        _ cursor: inout JSONCursor, _ arena: inout ByteArena
    ) throws(DecodeError) -> [StreamLabels.Label]? {
        guard cursor.peek() == UInt8(ascii: "{") else {
            _ = try cursor.value()
            return nil
        }
        var labels: [StreamLabels.Label]? = []
        try cursor.object(&arena) { cursor, arena, name throws(DecodeError) in
            guard cursor.peek() == UInt8(ascii: "\"") else {
                _ = try cursor.value()
                labels = nil
                return
            }
            let value = try cursor.string(&arena)
            labels?.append(StreamLabels.Label(arena.text(name), arena.text(value)))
        }
        return labels
    }

    private enum Outcome {
        case entry(LinePush.Entry)
        case refused(String)
    }

    /// An entry, if it is one. What is no JSON throws; what is another thing stays where it is.
    private mutating func entry(_ cursor: inout JSONCursor, _ arena: inout ByteArena) throws(DecodeError) -> Outcome {
        guard cursor.take(UInt8(ascii: "[")) else { return .refused("an entry is an array of time and line") }
        guard let time = try time(&cursor, &arena) else {
            return .refused("the time is no number of nanoseconds that fits into 64 bits")
        }
        guard cursor.take(UInt8(ascii: ",")) else { return .refused("the entry has no line") }
        guard cursor.peek() == UInt8(ascii: "\"") else { return .refused("the line is no string") }
        let line = try cursor.string(&arena)
        let first = push.fields.count
        if cursor.take(UInt8(ascii: ",")), let reason = try metadata(&cursor, &arena) { return .refused(reason) }
        guard cursor.take(UInt8(ascii: "]")) else { return .refused("an entry has a time, a line and metadata") }
        return .entry(LinePush.Entry(time: time, line: line, metadata: first..<push.fields.count))
    }

    /// - Returns: why it is none; nil if it is.
    private mutating func metadata(
        _ cursor: inout JSONCursor, _ arena: inout ByteArena
    ) throws(DecodeError) -> String? {
        if try takeNull(&cursor) { return nil }
        guard cursor.peek() == UInt8(ascii: "{") else { return "structured metadata is an object" }
        var isGood = true
        try cursor.object(&arena) { cursor, arena, name throws(DecodeError) in
            guard isGood, cursor.peek() == UInt8(ascii: "\"") else {
                _ = try cursor.value()
                isGood = false
                return
            }
            push.fields.append(LinePush.Field(name: name, value: try cursor.string(&arena)))
        }
        return isGood ? nil : "the values of structured metadata are strings"
    }

    /// A number of nanoseconds, in a string or not.
    private func time(_ cursor: inout JSONCursor, _ arena: inout ByteArena) throws(DecodeError) -> Int64? {
        guard cursor.peek() == UInt8(ascii: "\"") else {
            guard let byte = cursor.peek(), byte != UInt8(ascii: "]"), byte != UInt8(ascii: "{"),
                byte != UInt8(ascii: "[")
            else { return nil }
            return DecimalInteger.parse(UnsafeRawBufferPointer(rebasing: bytes[try cursor.scalar()]))
        }
        // The text is of no use later: its room is.
        let before = arena.count
        let text = try cursor.string(&arena)
        let time = DecimalInteger.parse(arena.bytes(in: text))
        arena.count = before
        return time
    }
}

/// Whole numbers in decimal digits.
enum DecimalInteger {
    /// The number; nil if the bytes are anything but digits behind an optional sign, or do not fit.
    @inline(__always)
    static func parse(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var place = 0
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative { place = 1 }
        guard place < bytes.count, bytes.count - place <= 19 else { return nil }
        var value: UInt64 = 0
        while place < bytes.count {
            let digit = bytes[place] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            // Nineteen digits fit into 64 bits.
            value = value &* 10 &+ UInt64(digit)
            place &+= 1
        }
        guard value <= UInt64(Int64.max) else { return nil }
        return isNegative ? -Int64(value) : Int64(value)
    }
}
