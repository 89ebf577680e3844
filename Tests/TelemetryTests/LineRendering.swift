@testable import Telemetry

/// What a parser makes of bytes, as text: what InfluxDB would answer (nil if it took everything), and the points
/// written again, each field once and sorted by name, in the order of their text.
struct LineReading: Equatable {
    var error: String?
    var points: [String] = []
    var keys: [[UInt8]] = []

    init(_ bytes: [UInt8], precision: TimePrecision = .nanoseconds, usesPlainWay: Bool = true) {
        var unreadable: [String] = []
        var (dropped, reason) = (0, String?.none)
        bytes.withUnsafeBytes { bytes in
            var parser = LineParser(bytes, precision: precision)
            while true {
                let step = usesPlainWay ? parser.next() : parser.nextByGrammar()
                switch step {
                case .point:
                    points.append(Self.render(parser))
                    keys.append(Array(bytes[parser.key]))
                case .refused(let failure) where failure.isUnreadable: unreadable.append(parser.text(of: failure))
                case .refused(let failure):
                    dropped += 1
                    reason = reason ?? parser.text(of: failure)
                case .end: return
                }
            }
        }
        points.sort()
        if let reason {
            error = "partial write: \(reason) dropped=\(dropped)"
        } else if !unreadable.isEmpty {
            let text = unreadable.joined(separator: "\n")
            error = points.isEmpty ? text : "partial write: \(text) dropped=0"
        }
    }

    /// A point written again.
    static func render(_ parser: borrowing LineParser) -> String {
        var (writer, key) = (LineWriter(), SeriesKey())
        let bytes = parser.bytes
        key.parse(bytes[slice: parser.key])
        writer.begin(key)
        // The last field of a name counts.
        var fields: [[UInt8]: LineField] = [:]
        for field in parser.fields {
            var name: [UInt8] = []
            LineEscaping.unescape(bytes[slice: field.key], .fieldKey, into: &name)
            fields[name] = field
        }
        for (name, field) in fields.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            name.withUnsafeBytes { add(field, $0, bytes, to: &writer) }
        }
        writer.end(time: parser.time)
        return String(decoding: writer.bytes.dropLast(), as: UTF8.self)
    }

    private static func add(
        _ field: LineField, _ name: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer, to writer: inout LineWriter
    ) {
        switch field.type {
        case .float: writer.add(name, float: field.double)
        case .integer: writer.add(name, integer: field.integer)
        case .unsigned: writer.add(name, unsigned: field.bits)
        case .boolean: writer.add(name, boolean: field.boolean)
        case .string:
            var value: [UInt8] = []
            LineEscaping.unescape(bytes[slice: field.string], .string, into: &value)
            value.withUnsafeBytes { writer.add(name, string: $0) }
        }
    }
}

extension LineParser {
    /// `next()` without the short way.
    mutating func nextByGrammar() -> Step {
        while nextLine < bytes.count {
            if let step = readAnyLine(from: nextLine) { return step }
        }
        return .end
    }
}

/// Pseudo-random numbers from a seed.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
