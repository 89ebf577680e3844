/// Writes an answer, piece by piece: whoever calls takes the bytes from time to time, so that only a little is held.
struct ResultWriter {
    private let format: ResultFormat
    private var compact: [UInt8] = []
    private var indenter = JSONIndenter()
    private var csv = CSVWriter()
    private(set) var bytes: [UInt8] = []
    private var statement = 0
    /// What of the statement's result is written.
    private enum Stage { case nothing, opened, inSeries, inValues }
    private var stage = Stage.nothing
    private var hasResults = false

    init(_ format: ResultFormat) { self.format = format }

    /// The bytes so far; they are gone then.
    mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: false) }
        return bytes
    }

    private mutating func write(_ text: StaticString) {
        text.withUTF8Buffer { compact.append(contentsOf: $0) }
    }

    private mutating func flush() {
        if format.isPretty {
            indenter.append(compact, to: &bytes)
        } else {
            bytes.append(contentsOf: compact)
        }
        compact.removeAll(keepingCapacity: true)
    }

    /// Begins the result of a statement.
    mutating func begin(statement: Int) {
        self.statement = statement
        stage = .nothing
        if format.isChunked || format.isCSV { return }
        open()
    }

    private mutating func open() {
        write(hasResults && !format.isChunked ? "," : "{\"results\":[")
        hasResults = true
        write("{\"statement_id\":")
        compact.append(contentsOf: String(statement).utf8)
        stage = .opened
    }

    /// Writes rows. `more` says whether other rows of the statement follow.
    mutating func add(_ rows: ResultRows, more: Bool) {
        if format.isCSV { return csv.add(rows, statement: statement, format, to: &bytes) }
        if format.isChunked {
            open()
            write(",\"series\":[")
            header(rows)
            values(rows)
            if rows.count > 0 { write("]") }
            write(rows.continues ? ",\"partial\":true}]" : "}]")
            write(more ? ",\"partial\":true}]}" : "}]}")
            finishDocument()
            return
        }
        switch stage {
        case .inValues:
            if rows.count > 0 { write(",") }
        default:
            write(stage == .inSeries ? "," : ",\"series\":[")
            header(rows)
        }
        values(rows)
        if rows.continues {
            stage = .inValues
        } else {
            write(rows.count > 0 ? "]}" : "}")
            stage = .inSeries
        }
        flush()
    }

    /// Ends the result of a statement.
    mutating func end(error: String? = nil, warning: String? = nil) {
        if format.isCSV { return }
        if format.isChunked {
            guard stage == .nothing || error != nil || warning != nil else { return }
            open()
        } else if stage == .inSeries || stage == .inValues {
            write("]")
        }
        if let warning {
            write(",\"messages\":[{\"level\":\"warning\",\"text\":")
            JSONText.append(warning, to: &compact)
            write("}]")
        }
        if let error {
            write(",\"error\":")
            JSONText.append(error, to: &compact)
        }
        write("}")
        if format.isChunked {
            write("]}")
            finishDocument()
        }
        flush()
    }

    /// Ends the answer.
    mutating func finish() {
        if format.isCSV { return }
        if format.isChunked {
            if !hasResults {
                write("{}")
                finishDocument()
            }
            return
        }
        write(hasResults ? "]}" : "{}")
        finishDocument()
    }

    private mutating func finishDocument() {
        flush()
        bytes.append(UInt8(ascii: "\n"))
        indenter = JSONIndenter()
        stage = .opened
    }

    /// An answer that is an error as a whole.
    static func failure(_ message: String, _ format: ResultFormat) -> [UInt8] {
        if format.isCSV { return CSVWriter.failure(message) }
        var writer = ResultWriter(format)
        writer.write("{\"error\":")
        JSONText.append(message, to: &writer.compact)
        writer.write("}")
        writer.finishDocument()
        return writer.bytes
    }
}

/// Series.
extension ResultWriter {
    private mutating func header(_ rows: ResultRows) {
        write("{")
        if !rows.name.isEmpty {
            write("\"name\":")
            JSONText.append(rows.name, to: &compact)
            write(",")
        }
        if !rows.tags.isEmpty {
            for (index, tag) in rows.tags.enumerated() {
                write(index == 0 ? "\"tags\":{" : ",")
                JSONText.append(tag.key, to: &compact)
                write(":")
                JSONText.append(tag.value, to: &compact)
            }
            write("},")
        }
        write("\"columns\":[")
        for (index, column) in rows.columns.enumerated() {
            if index > 0 { write(",") }
            JSONText.append(column, to: &compact)
        }
        write(rows.count > 0 ? "],\"values\":[" : "]")
    }

    private mutating func values(_ rows: ResultRows) {
        for row in 0..<rows.count {
            write(row == 0 ? "[" : ",[")
            if let times = rows.times { time(times[row]) }
            for (column, vector) in rows.values.enumerated() {
                if column > 0 || rows.times != nil { write(",") }
                value(vector.value(row))
            }
            write("]")
            if format.isPretty, compact.count > 65_536 { flush() }
        }
    }

    private mutating func time(_ nanoseconds: Int64) {
        switch format.epoch {
        case .text:
            write("\"")
            TimeText.append(nanoseconds, to: &compact)
            write("\"")
        case .units(let unit): IntegerText.append(nanoseconds / unit, to: &compact)
        }
    }

    private mutating func value(_ value: Value) {
        switch value {
        case .null: write("null")
        case .float(let number):
            if number == number.rounded(.towardZero), number.magnitude < 1e15, number != 0 {
                IntegerText.append(Int64(number), to: &compact)
            } else {
                compact.append(contentsOf: NumberText.float(number).utf8)
            }
        case .integer(let number): IntegerText.append(number, to: &compact)
        case .unsigned(let number): compact.append(contentsOf: String(number).utf8)
        case .boolean(let flag): write(flag ? "true" : "false")
        case .string(let text): JSONText.append(text, to: &compact)
        }
    }
}

/// Integers without a String in between.
enum IntegerText {
    static func append(_ number: Int64, to bytes: inout [UInt8]) {
        // 19 digits and a sign.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { text in
            var (rest, start) = (number.magnitude, text.count)
            repeat {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                start -= 1
                text.initializeElement(at: start, to: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit))
                rest = quotient
            } while rest > 0
            if number < 0 {
                start -= 1
                text.initializeElement(at: start, to: UInt8(ascii: "-"))
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
        }
    }
}
