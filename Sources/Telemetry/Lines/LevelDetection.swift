/// Finds out how grave a line is, as Loki's distributor does for `detected_level`. Nothing is allocated.
///
/// In this order: metadata `detected_level`; a label of the stream; metadata; OpenTelemetry's severity number in the
/// metadata; a field of the line if it is JSON or logfmt; a word of the line.
public enum LevelDetection {
    /// The names of labels, metadata and fields that tell a level; of several the first counts.
    public static let names = [
        "level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText", "lvl", "LVL", "Lvl",
        "severity_text", "Severity_Text", "SEVERITY_TEXT",
    ]

    /// Objects within an object are looked into, but not deeper: Loki's default.
    static let maximumDepth = 2

    /// The level that the labels of a stream tell, nil if they tell none. Ask once per stream.
    public static func level(ofStream labels: [StreamLabels.Label]) -> LineLevel? {
        for name in names {
            if let label = labels.first(where: { $0.name == name }) { return level(named: label.value) ?? .unknown }
        }
        return nil
    }

    /// The level of a line.
    ///
    /// - Parameters:
    ///   - stream: what the stream's labels tell.
    ///   - metadata: the line's own.
    public static func level(
        of line: UnsafeRawBufferPointer, stream: LineLevel?, metadata: [StreamLabels.Label] = []
    ) -> LineLevel {
        if !metadata.isEmpty {
            if let detected = metadata.first(where: { $0.name == "detected_level" }) {
                return level(named: detected.value) ?? .unknown
            }
            if let stream { return stream }
            if let told = level(ofStream: metadata) { return told }
            if let number = metadata.first(where: { $0.name == "severity_number" }), !number.value.isEmpty {
                return level(ofSeverity: number.value)
            }
        }
        return stream ?? level(of: line)
    }

    /// The level of a line of which nothing else is known.
    public static func level(of line: UnsafeRawBufferPointer) -> LineLevel {
        if isJSON(line) {
            if let value = jsonField(line), let level = level(named: value) { return level }
        } else if let value = logfmtField(line), let level = level(named: value) {
            return level
        }
        return LevelWords.level(in: line)
    }

    /// The level that a name means, in letters of either case; nil for others.
    public static func level(named name: String) -> LineLevel? {
        var name = name
        return name.withUTF8 { level(named: UnsafeRawBufferPointer($0)) }
    }

    /// The level that a name means, in letters of either case; nil for others.
    public static func level(named name: UnsafeRawBufferPointer) -> LineLevel? {
        guard name.count >= 3, name.count <= 11 else { return nil }
        func reads(_ word: StaticString) -> Bool { equalsFolded(name, word) }
        switch name[0] | 0x20 {
        case UInt8(ascii: "i"): return reads("info") || reads("inf") || reads("information") ? .info : nil
        case UInt8(ascii: "e"): return reads("error") || reads("err") ? .error : nil
        case UInt8(ascii: "w"): return reads("warn") || reads("warning") || reads("wrn") ? .warn : nil
        case UInt8(ascii: "d"): return reads("debug") || reads("dbg") ? .debug : nil
        case UInt8(ascii: "t"): return reads("trace") || reads("trc") ? .trace : nil
        case UInt8(ascii: "c"): return reads("critical") ? .critical : nil
        case UInt8(ascii: "f"): return reads("fatal") ? .fatal : nil
        default: return nil
        }
    }

    /// OpenTelemetry's numbers: four for each level. What is no number is info, as Loki has it.
    static func level(ofSeverity text: String) -> LineLevel {
        guard let number = Int(text) else { return .info }
        switch number {
        case 0: return .unknown
        case ...4: return .trace
        case ...8: return .debug
        case ...12: return .info
        case ...16: return .warn
        case ...20: return .error
        case ...24: return .fatal
        default: return .unknown
        }
    }

    /// Whether text is a word, ASCII letters of either case alike. The word is in lower case.
    @inline(__always)
    static func equalsFolded(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        guard text.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<text.count {
            let byte = text[index]
            let lower = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
            if lower != word.utf8Start[index] { return false }
        }
        return true
    }

    private static func isJSON(_ line: UnsafeRawBufferPointer) -> Bool {
        var start = 0
        while start < line.count, FieldText.isSpace(line[start]) { start += 1 }
        guard start < line.count, line[start] == UInt8(ascii: "{") else { return false }
        var end = line.count
        while end > start, FieldText.isSpace(line[end - 1]) { end -= 1 }
        return line[end - 1] == UInt8(ascii: "}")
    }
}

/// Fields that tell a level.
extension LevelDetection {
    /// The first string of the object whose name tells a level; nil also if reading ended at a fault, for Loki then looks
    /// no further.
    ///
    /// It goes through the object by itself: `ObjectCursor` takes twice as long, and this runs for every line.
    private static func jsonField(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var walk = LevelWalk(bytes)
        _ = walk.object(depth: 1)
        return walk.found.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
    }

    /// Goes through objects until a field that tells a level.
    private struct LevelWalk {
        let bytes: UnsafeRawBufferPointer
        var position = 0
        var found: Range<Int>?

        init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        /// The next byte that is no white space; 0 behind the last.
        @inline(__always)
        mutating func next() -> UInt8 {
            while position < bytes.count {
                let byte = bytes[position]
                if byte > 0x20 || (byte != 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09) { return byte }
                position &+= 1
            }
            return 0
        }

        /// Passes over a string whose opening quote is here; where it stands.
        @inline(__always)
        mutating func string() -> Range<Int>? {
            let start = position &+ 1
            var end = start
            while true {
                end = ByteSearch.firstOf(UInt8(ascii: "\""), UInt8(ascii: "\\"), in: bytes, from: end)
                guard end < bytes.count else { return nil }
                if bytes[end] == UInt8(ascii: "\"") { break }
                end &+= 2
                guard end <= bytes.count else { return nil }
            }
            position = end &+ 1
            return start..<end
        }

        /// Whether to go on behind an object.
        mutating func object(depth: Int) -> Bool {
            guard next() == UInt8(ascii: "{") else { return false }
            position &+= 1
            while true {
                let byte = next()
                if byte == UInt8(ascii: "}") {
                    position &+= 1
                    return true
                }
                guard byte == UInt8(ascii: "\""), let key = string(), next() == UInt8(ascii: ":") else { return false }
                position &+= 1
                guard value(key, depth) else { return false }
                switch next() {
                case UInt8(ascii: ","): position &+= 1
                case UInt8(ascii: "}"): continue
                default: return false
                }
            }
        }

        @inline(__always)
        private mutating func value(_ key: Range<Int>, _ depth: Int) -> Bool {
            switch next() {
            case UInt8(ascii: "\""):
                guard let value = string() else { return false }
                guard LevelDetection.isLevelName(UnsafeRawBufferPointer(rebasing: bytes[key])) else { return true }
                found = value
                return false
            case UInt8(ascii: "{") where depth < maximumDepth: return object(depth: depth + 1)
            case UInt8(ascii: "{"): return block(UInt8(ascii: "{"), UInt8(ascii: "}"))
            case UInt8(ascii: "["): return block(UInt8(ascii: "["), UInt8(ascii: "]"))
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "t"), UInt8(ascii: "f"),
                UInt8(ascii: "n"):
                position = JSONScan.tokenEnd(bytes, position)
                return true
            default: return false
            }
        }

        private mutating func block(_ open: UInt8, _ close: UInt8) -> Bool {
            guard let end = JSONScan.blockEnd(bytes, position, open: open, close: close) else { return false }
            position = end
            return true
        }
    }

    /// Whether bytes are one of `names`.
    private static func isLevelName(_ name: UnsafeRawBufferPointer) -> Bool {
        guard name.count >= 3, name.count <= 13 else { return false }
        switch name[0] {
        case UInt8(ascii: "l"), UInt8(ascii: "s"), UInt8(ascii: "L"), UInt8(ascii: "S"):
            // What people write most.
            if name.count == 5, equals(name, "level") { return true }
            for candidate in spellings where candidate.utf8CodeUnitCount == name.count {
                let other = UnsafeRawBufferPointer(start: candidate.utf8Start, count: candidate.utf8CodeUnitCount)
                if ByteOrder.equal(name, other) { return true }
            }
            return false
        default: return false
        }
    }

    @inline(__always)
    private static func equals(_ name: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        for index in 0..<name.count where name[index] != word.utf8Start[index] { return false }
        return true
    }

    /// `names`, without a string to make.
    private static let spellings: [StaticString] = [
        "level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText", "lvl", "LVL", "Lvl",
        "severity_text", "Severity_Text", "SEVERITY_TEXT",
    ]

    /// The value of the name that comes first in `names`, in letters of either case. Reading ends at a fault.
    private static func logfmtField(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard ByteSearch.firstOf(UInt8(ascii: "="), UInt8(ascii: "="), in: line, from: 0) < line.count else {
            return nil
        }
        var cursor = PairCursor(line)
        var best = Int.max
        var found: UnsafeRawBufferPointer?
        while let pair = cursor.next() {
            let rank = rank(UnsafeRawBufferPointer(rebasing: line[pair.key]))
            guard rank < best else { continue }
            best = rank
            found = UnsafeRawBufferPointer(rebasing: line[pair.value])
            if rank == 0 { break }
        }
        return found
    }

    /// The place among `names`, those that differ by case alone taken together.
    private static func rank(_ name: UnsafeRawBufferPointer) -> Int {
        guard name.count >= 3, name.count <= 13 else { return Int.max }
        switch name[0] | 0x20 {
        case UInt8(ascii: "l"):
            if equalsFolded(name, "level") { return 0 }
            if equalsFolded(name, "log.level") { return 1 }
            return equalsFolded(name, "lvl") ? 4 : Int.max
        case UInt8(ascii: "s"):
            if equalsFolded(name, "severity") { return 2 }
            if equalsFolded(name, "severitytext") { return 3 }
            return equalsFolded(name, "severity_text") ? 5 : Int.max
        default: return Int.max
        }
    }
}
