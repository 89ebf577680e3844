import Telemetry

/// Loki's push as protobuf, `logproto.PushRequest`, behind its snappy compression:
///
/// ```
/// PushRequest  1 streams      Stream   1 labels (text)   Entry  1 timestamp   Timestamp  1 seconds   LabelPair  1 name
///                                      2 entries                2 line                   2 nanos                2 value
///                                                               3 metadata (LabelPair)
/// ```
/// A message that does not decode is refused as a whole. Labels that do not parse are a failure of the push, and so are
/// their lines; the others stand. Fields that nobody knows are skipped.
public enum LokiProtobuf {
    /// Decodes a push.
    ///
    /// - Throws: `.malformed` if it is no such message.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(DecodeError) -> LinePush {
        var push = LinePush()
        var arena = ByteArena(capacity: bytes.count)
        var message = ProtobufReader(bytes)
        while let field = try message.next() {
            guard field.number == 1 else { continue }
            try stream(try message.message(field), &push, &arena)
        }
        push.bytes = arena.array()
        return push
    }

    private static func stream(
        _ reader: ProtobufReader, _ push: inout LinePush, _ arena: inout ByteArena
    ) throws(DecodeError) {
        var reader = reader
        var text = UnsafeRawBufferPointer(start: nil, count: 0)
        var entries: [LinePush.Entry] = []
        while let field = try reader.next() {
            switch field.number {
            case 1: text = try reader.bytes(field)
            case 2: entries.append(try entry(try reader.message(field), &push, &arena))
            default: continue
            }
        }
        do {
            push.streams.append(LinePush.Stream(labels: try StreamLabels(bytes: text), entries: entries))
        } catch {
            let labels = String(decoding: text.prefix(1_024), as: UTF8.self)
            push.fail("Error parsing labels '\(labels)' with error: \(error)")
        }
    }

    @inline(__always)
    private static func entry(
        _ reader: ProtobufReader, _ push: inout LinePush, _ arena: inout ByteArena
    ) throws(DecodeError) -> LinePush.Entry {
        var reader = reader
        var (time, line) = (Int64(0), arena.count..<arena.count)
        let first = push.fields.count
        while let field = try reader.next() {
            switch field.number {
            case 1: time = try timestamp(try reader.message(field))
            case 2: line = arena.append(try reader.bytes(field))
            case 3: push.fields.append(try pair(try reader.message(field), &arena))
            default: continue
            }
        }
        return LinePush.Entry(time: time, line: line, metadata: first..<push.fields.count)
    }

    private static func timestamp(_ reader: ProtobufReader) throws(DecodeError) -> Int64 {
        var reader = reader
        var (seconds, nanoseconds) = (Int64(0), Int64(0))
        while let field = try reader.next() {
            switch field.number {
            case 1: seconds = try reader.integer(field)
            case 2: nanoseconds = try reader.integer(field)
            default: continue
            }
        }
        let (scaled, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (time, overflows) = scaled.addingReportingOverflow(nanoseconds)
        guard !isTooLarge, !overflows else {
            throw DecodeError(.malformed, "a time of \(seconds) seconds is none that fits into 64 bits of nanoseconds")
        }
        return time
    }

    private static func pair(
        _ reader: ProtobufReader, _ arena: inout ByteArena
    ) throws(DecodeError) -> LinePush.Field {
        var reader = reader
        let empty = arena.count..<arena.count
        var field = LinePush.Field(name: empty, value: empty)
        while let part = try reader.next() {
            switch part.number {
            case 1: field.name = arena.append(try reader.bytes(part))
            case 2: field.value = arena.append(try reader.bytes(part))
            default: continue
            }
        }
        return field
    }
}
