import Bytes
import Columns
public import Telemetry

/// What a block consists of, and whether all of it verifies: every checksum, every encoding, every order.
public struct BlockReport: Sendable {
    /// Something that does not verify.
    public struct Finding: Sendable, Equatable {
        /// What was found, with the file's name, the part and the position.
        public let message: String
    }

    /// A kind of content of a table.
    public struct Part: Sendable, Equatable {
        /// What it is: "times", "field usage_user", "tag host, values", …
        public let name: String
        /// The type, of a field.
        public let type: FieldType?
        /// Its bytes in the file.
        public internal(set) var bytes = 0
        /// How many columns of pages stand in which form, by the forms' names.
        public internal(set) var forms: [String: Int] = [:]
    }

    /// What is known of one measurement.
    public struct Table: Sendable {
        /// The measurement's name.
        public let name: [UInt8]
        /// The number of series that have points.
        public internal(set) var series = 0
        /// The number of points.
        public internal(set) var rows = 0
        /// The number of pages.
        public internal(set) var pages = 0
        /// The number of values.
        public internal(set) var values = 0
        /// From the earliest to the latest time, in nanoseconds since 1970.
        public let range: ClosedRange<Int64>
        /// What its bytes go to.
        public internal(set) var parts: [Part] = []
    }

    /// The file's size in bytes.
    public let sizeBytes: Int
    /// What the footer says; nil if it does not verify.
    public private(set) var details: BlockDetails?
    /// The measurements, by name.
    public private(set) var tables: [Table] = []
    /// What does not verify; at most 100 of them are told.
    public private(set) var findings: [Finding] = []

    /// The most findings that are told.
    public static let maximumFindings = 100

    /// Whether everything verifies.
    public var isSound: Bool { findings.isEmpty }

    /// Reads all of a block.
    ///
    /// - Parameter wanted: asked before each table; false ends it early.
    public init(_ block: Block, while wanted: () -> Bool = { true }) {
        sizeBytes = block.sizeBytes
        details = block.details
        var (rows, series) = (0, 0)
        for table in block.tables where wanted() {
            var survey = TableSurvey(table)
            survey.run()
            tables.append(survey.result)
            for message in survey.messages where findings.count < Self.maximumFindings {
                findings.append(Finding(message: message))
            }
            rows += table.rowCount
            series += survey.result.series
        }
        if findings.isEmpty, tables.count == block.tables.count,
            Int64(rows) != block.details.rows || Int64(series) != block.details.series
        {
            findings.append(Finding(message: "\(block.name), footer: its numbers of rows or series are others"))
        }
    }

    /// The report on a file that cannot be opened.
    public init(sizeBytes: Int, damage: SeriesError) {
        self.sizeBytes = sizeBytes
        findings = [Finding(message: damage.message)]
    }
}

/// Reads all of a table and counts.
private struct TableSurvey {
    private let table: BlockTable
    private(set) var result: BlockReport.Table
    private(set) var messages: [String] = []
    private var times = BlockReport.Part(name: "times", type: nil)
    private var runs = BlockReport.Part(name: "series of pages", type: nil)
    private var headers = BlockReport.Part(name: "headers of pages", type: nil)
    private var fields: [BlockReport.Part]
    private var strings: [BlockReport.Part]

    init(_ table: BlockTable) {
        self.table = table
        result = BlockReport.Table(name: table.measurement, range: table.range)
        fields = table.fields.map {
            BlockReport.Part(name: "field \(String(decoding: $0.name, as: UTF8.self))", type: $0.type)
        }
        strings = table.fields.map {
            BlockReport.Part(name: "strings of \(String(decoding: $0.name, as: UTF8.self))", type: $0.type)
        }
    }

    mutating func run() {
        result.rows = table.rowCount
        attempt { survey throws(SeriesError) in try survey.readSeries() }
        attempt { survey throws(SeriesError) in try survey.readPages() }
        var index = BlockReport.Part(name: "page index", type: nil)
        index.bytes = table.footer.index.count
        result.parts += ([runs, times, headers, index] + fields + strings).filter { $0.bytes > 0 }
    }

    private mutating func attempt(_ body: (inout TableSurvey) throws(SeriesError) -> Void) {
        do throws(SeriesError) { try body(&self) } catch {
            if messages.count < BlockReport.maximumFindings { messages.append(error.message) }
        }
    }

    private mutating func readSeries() throws(SeriesError) {
        let series = try table.series()
        result.series = series.present.count
        for column in series.columns {
            let key = String(decoding: column.key, as: UTF8.self)
            var values = BlockReport.Part(name: "tag \(key), values", type: nil)
            values.bytes = column.values.reduce(0) { $0 + $1.range.count }
            var codes = BlockReport.Part(name: "tag \(key), codes", type: nil)
            codes.bytes = column.codes.reduce(0) { $0 + $1.count }
            var postings = BlockReport.Part(name: "tag \(key), index", type: nil)
            postings.bytes = column.postings?.reduce(0) { $0 + $1.range.count } ?? 0
            result.parts += [values, codes, postings].filter { $0.bytes > 0 }
            attempt { survey throws(SeriesError) in try survey.table.verify(column) }
        }
        attempt { survey throws(SeriesError) in try survey.table.verifySeriesOrder() }
    }

    private mutating func readPages() throws(SeriesError) {
        let index = try table.pages()
        result.pages = index.count
        for field in table.fields.indices {
            strings[field].bytes = index.pieces[field].reduce(0) { $0 + $1.bytes.count }
        }
        var caches = table.fields.map { _ in PieceCache() }
        for page in 0..<index.count {
            attempt { survey throws(SeriesError) in try survey.read(page, index, &caches) }
        }
    }

    private mutating func read(_ page: Int, _ index: PageIndex, _ caches: inout [PieceCache]) throws(SeriesError) {
        let header = try table.header(of: page, index)
        headers.bytes += header.series.offset - Int(index.positions[page])
        runs.bytes += header.series.count
        times.bytes += header.times.count
        let keys = try table.keys(of: page, header, index)
        times.count(form: FormName.integers(table.bytes(header.times)))
        if header.runCount > 1 { runs.count(form: FormName.integers(table.bytes(header.series))) }
        var row = 0
        for run in keys.runs {
            for next in row + 1..<row + Int(run.count) where keys.times[next] <= keys.times[next - 1] {
                throw table.file.damage(table.part("page \(page)"), at: header.times.offset, "times out of order")
            }
            row += Int(run.count)
        }
        guard keys.times.min() == index.minimum[page], keys.times.max() == index.maximum[page] else {
            throw table.file.damage(table.part("page \(page)"), at: header.times.offset, "other times than the index")
        }
        for entry in header.entries {
            fields[entry.field].bytes += entry.range.count
            result.values += entry.valid
            var piece: ByteStrings?
            if table.fields[entry.field].type == .string, let wanted = index.piece(field: entry.field, page: page) {
                if caches[entry.field].piece != wanted {
                    let strings = try table.piece(wanted, of: entry.field, index)
                    caches[entry.field] = PieceCache(piece: wanted, strings: strings)
                }
                piece = caches[entry.field].strings
            }
            _ = try table.column(entry, rows: header.rows, page: page, strings: piece)
            fields[entry.field].count(
                form: FormName.column(
                    table.bytes(entry.range), table.fields[entry.field].type, rows: entry.hasNulls ? header.rows : 0))
        }
    }
}

extension BlockReport.Part {
    fileprivate mutating func count(form: String) { forms[form, default: 0] += 1 }
}

/// How a report calls the forms of encoded columns, which verify.
private enum FormName {
    static func integers(_ bytes: UnsafeRawBufferPointer) -> String {
        guard let tag = bytes.first, let form = IntegerCodec.Form(rawValue: tag & ~IntegerCodec.divided) else {
            return "none"
        }
        return "\(form)" + (tag & IntegerCodec.divided != 0 ? " divided" : "")
    }

    /// `rows`: how many bits say which rows have a value; 0 if all have.
    static func column(_ bytes: UnsafeRawBufferPointer, _ type: FieldType, rows: Int) -> String {
        var reader = ByteReader(bytes)
        if rows > 0 { _ = try? IntegerCodec.decodePrefix(&reader, count: rows) }
        guard let rest = try? reader.slice(reader.remaining), let first = rest.first else { return "none" }
        guard type == .float, rest.count > 2 else { return integers(rest) }
        if first == FloatCodec.patterns {
            return "bits " + integers(UnsafeRawBufferPointer(rebasing: rest[2...]))
        }
        return rest[2] == 0 ? "decimal " + integers(UnsafeRawBufferPointer(rebasing: rest[3...])) : "decimal patched"
    }
}

extension BlockTable {
    /// Reads all of a tag's column: values that ascend, codes that exist, and an index that says what the codes say.
    fileprivate func verify(_ column: TagColumn) throws(SeriesError) {
        let values = try values(of: column)
        for code in 1..<max(1, values.count) {
            let order = values.withString(code - 1) { left in
                values.withString(code) { SeriesKey.compare(left, $0) }
            }
            guard order < 0 else {
                throw file.damage(part("tag values"), at: footer.series.offset, "values out of order")
            }
        }
        var counts = [Int](repeating: 0, count: values.count)
        for part in column.codes.indices {
            for code in try codes(of: column, part: part) { counts[Int(code)] += 1 }
        }
        for posting in column.postings ?? [] {
            for place in 0..<posting.count {
                var set = OrdinalSet(universe: seriesCount)
                try decoding("tag index", at: posting.range) { () throws(BytesError) in
                    try PostingPart.decode(bytes(posting.range), place: place, count: posting.count, into: &set)
                }
                guard set.count == counts[posting.firstCode + place] else {
                    throw file.damage(part("tag index"), at: posting.range.offset, "it differs from the codes")
                }
            }
        }
    }

    /// The series must ascend by their keys.
    fileprivate func verifySeriesOrder() throws(SeriesError) {
        let all = try columns(of: nil)
        var (last, key): ([UInt8], [UInt8]) = ([], [])
        for series in 0..<all.count {
            key.removeAll(keepingCapacity: true)
            all.appendKey(of: series, to: &key)
            guard series == 0 || SeriesKey.compare(last, key) < 0 else {
                throw file.damage(part("series"), at: footer.series.offset, "series \(series) is out of order")
            }
            swap(&last, &key)
        }
    }
}
