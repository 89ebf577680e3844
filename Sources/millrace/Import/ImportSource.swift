import Telemetry

/// Lines of an export or of any file with line protocol, cut into portions that one request takes. A value: bytes go
/// in as they are read, portions come out.
///
/// What `influx_inspect export` and `influx -import` know is followed: behind `# DDL` lines are statements, behind
/// `# DML` points; `# CONTEXT-DATABASE: x` and `# CONTEXT-RETENTION-POLICY: y` say where the points go.
struct ImportSource {
    /// Something to be sent.
    enum Portion: Equatable {
        /// A statement of InfluxQL from a file's head.
        case statement(String, line: Int)
        /// Lines for the context that stands with them.
        case lines(Lines)
    }

    /// Points for one request.
    struct Lines: Equatable {
        var database: String?
        var retentionPolicy: String?
        var bytes: [UInt8] = []
        var points = 0
        /// The numbers of the first and the last line in the file.
        var numbers = 0...0
    }

    /// A line that is no point.
    struct BadLine: Equatable {
        let number: Int
        let reason: String
    }

    private let maximumPoints: Int
    private let maximumBytes: Int
    private let precision: TimePrecision
    private var rest: [UInt8] = []
    private var lineNumber = 1
    private var isStatements = false
    private var current = Lines()
    /// Lines that cannot be read, since the last look.
    private(set) var badLines: [BadLine] = []

    init(precision: TimePrecision, maximumPoints: Int = 5_000, maximumBytes: Int = 4 << 20) {
        self.precision = precision
        self.maximumPoints = maximumPoints
        self.maximumBytes = maximumBytes
    }

    /// Takes the next bytes of the file; `isLast` with the end.
    mutating func feed(_ bytes: [UInt8], isLast: Bool = false) -> [Portion] {
        var (portions, text) = ([Portion](), rest + bytes)
        var used = 0
        if isStatements || startsWithMark(text) { used = readStatements(text, isLast, &portions) }
        if !isStatements { used = readPoints(text, from: used, isLast, &portions) }
        text.removeFirst(used)
        rest = text
        if isLast { flush(&portions) }
        return portions
    }

    /// The bad lines since the last call.
    mutating func takeBadLines() -> [BadLine] {
        defer { badLines = [] }
        return badLines
    }

    private func startsWithMark(_ text: [UInt8]) -> Bool {
        lineNumber == 1 && (text.starts(with: "# DDL".utf8) || text.starts(with: "# INFLUXDB EXPORT".utf8))
    }

    /// Goes through statements until `# DML`, line by line.
    private mutating func readStatements(_ text: [UInt8], _ isLast: Bool, _ portions: inout [Portion]) -> Int {
        isStatements = true
        var start = 0
        while start < text.count {
            let newline = text[start...].firstIndex(of: 10)
            guard let end = newline ?? (isLast ? text.count : nil) else { break }
            let line = String(decoding: text[start..<end], as: UTF8.self).trimmingBlanks
            if line.hasPrefix("# DML") {
                isStatements = false
                return start
            }
            if !line.isEmpty, !line.hasPrefix("#") { portions.append(.statement(line, line: lineNumber)) }
            lineNumber += 1
            start = min(end + 1, text.count)
        }
        return start
    }

    private mutating func readPoints(
        _ text: [UInt8], from offset: Int, _ isLast: Bool, _ portions: inout [Portion]
    ) -> Int {
        text.withUnsafeBytes { text in
            let bytes = UnsafeRawBufferPointer(rebasing: text[offset...])
            var parser = Telemetry.LineParser(bytes, precision: precision)
            var used = 0
            while true {
                let step = parser.next()
                // A line that nothing follows may go on in the next bytes.
                if step == .end || (!isLast && parser.nextLine == bytes.count) { break }
                skipComments(bytes[used..<parser.line.lowerBound], &portions)
                let line = bytes[parser.line.lowerBound..<parser.nextLine]
                switch step {
                case .point: add(line, &portions)
                case .refused(let failure):
                    badLines.append(BadLine(number: lineNumber, reason: parser.text(of: failure)))
                case .end: break
                }
                lineNumber += line.count { $0 == 10 }
                used = parser.nextLine
            }
            // What is left are comments and empty lines, or the beginning of a line.
            let end = isLast ? bytes.count : (bytes[used...].lastIndex(of: 10).map { $0 + 1 } ?? used)
            if isLast || onlyComments(bytes[used..<end]) {
                skipComments(bytes[used..<end], &portions)
                used = end
            }
            return offset + used
        }
    }

    private func onlyComments(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        bytes.split(separator: 10).allSatisfy { line in
            line.first { $0 != 32 && $0 != 9 && $0 != 13 }.map { $0 == UInt8(ascii: "#") } ?? true
        }
    }

    private mutating func skipComments(_ bytes: Slice<UnsafeRawBufferPointer>, _ portions: inout [Portion]) {
        for line in bytes.split(separator: 10) where line.first == UInt8(ascii: "#") {
            let text = String(decoding: line, as: UTF8.self).trimmingBlanks
            if let name = text.value(behind: "# CONTEXT-DATABASE:") {
                flush(&portions)
                current.database = name
            } else if let name = text.value(behind: "# CONTEXT-RETENTION-POLICY:") {
                flush(&portions)
                current.retentionPolicy = name
            }
        }
        lineNumber += bytes.count { $0 == 10 }
    }

    private mutating func add(_ line: Slice<UnsafeRawBufferPointer>, _ portions: inout [Portion]) {
        if current.points >= maximumPoints || current.bytes.count + line.count > maximumBytes { flush(&portions) }
        if current.points == 0 { current.numbers = lineNumber...lineNumber }
        current.bytes.append(contentsOf: line)
        if line.last != 10 { current.bytes.append(10) }
        current.points += 1
        current.numbers = current.numbers.lowerBound...lineNumber
    }

    private mutating func flush(_ portions: inout [Portion]) {
        guard current.points > 0 else { return }
        portions.append(.lines(current))
        current.bytes = []
        current.points = 0
    }
}

extension String {
    /// Without blanks at both ends.
    fileprivate var trimmingBlanks: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// What stands behind a mark, if the text begins with it.
    fileprivate func value(behind mark: String) -> String? {
        guard hasPrefix(mark) else { return nil }
        let value = String(dropFirst(mark.count)).trimmingBlanks
        return value.isEmpty ? nil : value
    }
}
