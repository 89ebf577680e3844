import Columns
import Machine
import Series
import Telemetry
import Testing
import View

/// A value of a field, for comparing.
enum ModelValue: Hashable {
    case float(UInt64)
    case integer(Int64)
    case unsigned(UInt64)
    case boolean(Bool)
    case string([UInt8])
}

/// Points of one measurement as plainly as can be: what a block must give back.
struct BlockModel {
    var fields: [(name: [UInt8], type: FieldType)]
    /// Sorted by key, with their rows sorted by time; values as the fields.
    var series: [(tags: [(key: [UInt8], value: [UInt8])], rows: [(time: Int64, values: [ModelValue?])])]

    /// The rows, flat, of the series and times that are wanted, without those that have no value.
    func rows(
        _ wanted: (Int) -> Bool = { _ in true }, in range: ClosedRange<Int64> = .min ... .max, fields: [Int]? = nil,
        descending: Bool = false
    ) -> [ModelRow] {
        let fields = fields ?? Array(self.fields.indices)
        var result: [ModelRow] = []
        for (index, one) in series.enumerated() where wanted(index) {
            for row in descending ? one.rows.reversed() : one.rows where range.contains(row.time) {
                let values = fields.map { row.values[$0] }
                if values.contains(where: { $0 != nil }) {
                    result.append(ModelRow(key: SeriesKey.encode(one.tags), time: row.time, values: values))
                }
            }
        }
        return result
    }

    /// All series in columns.
    var columns: SeriesColumns {
        let keys = Set(series.flatMap { $0.tags.map(\.key) }).sorted { SeriesKey.compare($0, $1) < 0 }
        var columns = SeriesColumns(count: series.count, tagKeys: keys, values: [], codes: [])
        for key in keys {
            var (values, codes, known) = (ByteStrings(), [UInt32](), [[UInt8]: UInt32]())
            for one in series {
                let value = one.tags.first { $0.key == key }?.value ?? []
                if known[value] == nil {
                    known[value] = UInt32(values.count)
                    value.withUnsafeBytes { values.append($0) }
                }
                codes.append(known[value] ?? 0)
            }
            columns.values.append(values)
            columns.codes.append(codes)
        }
        return columns
    }

    /// The rows as a writer takes them, `size` at a time.
    func batches(of size: Int) -> [PointBatch] {
        var flat: [(series: Int32, time: Int64, values: [ModelValue?])] = []
        for (index, one) in series.enumerated() {
            for row in one.rows { flat.append((Int32(index), row.time, row.values)) }
        }
        return stride(from: 0, to: flat.count, by: size).map { start in
            let part = flat[start..<min(flat.count, start + size)]
            var runs: [SeriesRun] = []
            for row in part {
                if let last = runs.last, last.series == row.series {
                    runs[runs.count - 1].count += 1
                } else {
                    runs.append(SeriesRun(series: row.series, count: 1))
                }
            }
            let columns = fields.indices.map { field in Self.column(part.map { $0.values[field] }, fields[field].type) }
            return PointBatch(times: part.map(\.time), runs: runs, columns: columns)
        }
    }

    static func column(_ values: [ModelValue?], _ type: FieldType) -> FieldColumn {
        var validity = [UInt64](repeating: 0, count: (values.count + 63) / 64)
        for (row, value) in values.enumerated() where value != nil { validity[row >> 6] |= 1 << UInt64(row & 63) }
        let content: FieldColumn.Values
        switch type {
        case .float:
            content = .float(values.map { if case .float(let bits) = $0 { Double(bitPattern: bits) } else { 0 } })
        case .integer: content = .integer(values.map { if case .integer(let value) = $0 { value } else { 0 } })
        case .unsigned: content = .unsigned(values.map { if case .unsigned(let value) = $0 { value } else { 0 } })
        case .boolean: content = .boolean(values.map { if case .boolean(let value) = $0 { value } else { false } })
        case .string:
            var strings = ByteStrings()
            let codes = values.map { value -> UInt32 in
                if case .string(let bytes) = value { bytes.withUnsafeBytes { strings.append($0) } }
                return UInt32(max(0, strings.count - 1))
            }
            content = .string(codes: codes, dictionary: strings)
        }
        return FieldColumn(content, validity: values.allSatisfy { $0 != nil } ? nil : validity)
    }

    /// Writes it as a block of one table.
    func write(to store: any BlockStore, batchSize: Int = 700) throws -> BlockEntry? {
        var content = ModelContent(tables: [("m", self)], batchSize: batchSize)
        return try BlockWriter.create(in: store, details: ModelContent.details(), content: &content)
    }
}

struct ModelRow: Hashable, CustomStringConvertible {
    var key: [UInt8]
    var time: Int64
    var values: [ModelValue?]
    var description: String { "\(String(decoding: key, as: UTF8.self)) \(time) \(values)" }

    /// The rows of batches; `key` gives a series' key by its number.
    static func flatten(_ batches: [PointBatch], _ key: (Int32) -> [UInt8]) -> [ModelRow] {
        var rows: [ModelRow] = []
        for batch in batches {
            var row = 0
            for run in batch.runs {
                for _ in 0..<run.count {
                    rows.append(
                        ModelRow(key: key(run.series), time: batch.times[row], values: batch.columns.map { $0[row] }))
                    row += 1
                }
            }
        }
        return rows
    }
}

extension FieldColumn {
    subscript(row: Int) -> ModelValue? {
        if let validity, validity[row >> 6] >> UInt64(row & 63) & 1 == 0 { return nil }
        switch values {
        case .absent: return nil
        case .float(let values): return .float(values[row].bitPattern)
        case .integer(let values): return .integer(values[row])
        case .unsigned(let values): return .unsigned(values[row])
        case .boolean(let values): return .boolean(values[row])
        case .string(let codes, let strings):
            return .string(strings.withString(Int(codes[row])) { [UInt8]($0) })
        }
    }
}

struct ModelContent: BlockContent {
    var tables: [(name: String, model: BlockModel)]
    var batchSize: Int
    private var batches: [PointBatch] = []

    init(tables: [(name: String, model: BlockModel)], batchSize: Int) {
        self.tables = tables
        self.batchSize = batchSize
    }

    mutating func nextTable() -> BlockTableContent? {
        guard !tables.isEmpty else { return nil }
        let (name, model) = tables.removeFirst()
        batches = model.batches(of: batchSize)
        return BlockTableContent(name: Array(name.utf8), fields: model.fields, series: model.columns)
    }

    mutating func nextBatch() -> PointBatch? { batches.isEmpty ? nil : batches.removeFirst() }

    static func details(appliedThrough: Int64 = 7, cut: Int64 = 3) -> BlockDetails {
        BlockDetails(
            retentionPolicy: Array("autogen".utf8), shardStart: .min, shardEnd: .max, level: 0, firstCut: cut,
            lastCut: cut, appliedThrough: appliedThrough)
    }
}
