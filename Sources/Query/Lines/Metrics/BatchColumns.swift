internal import Columns
internal import Search
internal import Telemetry

/// The samples of a batch, from its columns.
struct BatchColumns {
    private let plan: SamplePlan
    private let batch: LineBatch
    private var metadata: MetadataLabels
    /// For each label of the grouping that is a field: its name and its column.
    private var groupColumns: [(name: String, column: TextColumn)] = []
    /// What the stream tells of the grouping.
    private let fixed: StreamLabels
    private let usesMetadata: Bool
    private let usesLevel: Bool
    /// Groups by what rows have in common.
    private var groups: [[UInt32]: Int] = [:]
    private var singles: [Int32] = []

    init(_ plan: SamplePlan, _ batch: LineBatch) {
        self.plan = plan
        self.batch = batch
        metadata = MetadataLabels(batch, tellsLevels: plan.tellsLevels)
        let hasParser = plan.lowering.format != nil
        if hasParser, let grouping = plan.grouping {
            for (place, field) in plan.fields.enumerated() where grouping.labels.contains(field.name) {
                // A stream's own label stands; the field would be `name_extracted`.
                guard batch.stream[field.name].isEmpty, place < batch.fields.count else { continue }
                groupColumns.append((field.name, batch.fields[place]))
            }
        }
        fixed = plan.grouping.map { batch.stream.grouped($0) } ?? batch.stream
        let namesLevel = plan.grouping.map { $0.isWithout != $0.labels.contains("detected_level") } ?? true
        usesLevel = plan.tellsLevels && namesLevel && batch.stream["detected_level"].isEmpty
        usesMetadata =
            !hasParser && batch.metadata != nil
            && plan.grouping.map { $0.isWithout || !$0.labels.isEmpty } ?? true
    }

    mutating func gather(into accumulator: inout RangeAccumulator) throws(QueryError) {
        if plan.aggregation.range.unwrap != nil { return try gatherValues(into: &accumulator) }
        if groupColumns.isEmpty, !usesLevel, !usesMetadata {
            guard !batch.times.isEmpty else { return }
            let group = try accumulator.group(fixed)
            if plan.windows.steps.count == 1 { return countAll(group, &accumulator) }
            for row in batch.times.indices { count(row, group, &accumulator) }
            return
        }
        if plan.windows.steps.count == 1, groupColumns.count == 1, !usesLevel, !usesMetadata {
            return try countCodes(&accumulator)
        }
        for row in batch.times.indices { count(row, try group(row, &accumulator), &accumulator) }
    }

    /// Of one window, which all lines of a scan are in, the sums are enough.
    private func countAll(_ group: Int, _ accumulator: inout RangeAccumulator) {
        let bytes = batch.lengths.reduce(0) { $0 + Double($1) }
        accumulator.count(
            group, at: plan.windows.end, lines: Double(batch.times.count), bytes: plan.countsBytes ? bytes : 0)
    }

    /// The same by the values of one column.
    private mutating func countCodes(_ accumulator: inout RangeAccumulator) throws(QueryError) {
        let column = groupColumns[0].column
        // Place 0 is of lines without the field.
        var lines = [Int](repeating: 0, count: column.dictionary.count + 1)
        var bytes = [Int](repeating: 0, count: column.dictionary.count + 1)
        var rows = [Int](repeating: 0, count: column.dictionary.count + 1)
        for row in batch.times.indices {
            let place = column.codes[row] == TextColumn.missing ? 0 : Int(column.codes[row]) + 1
            lines[place] &+= 1
            rows[place] = row
            if plan.countsBytes { bytes[place] &+= Int(batch.lengths[row]) }
        }
        for place in lines.indices where lines[place] > 0 {
            let group = try accumulator.group(labels(rows[place]))
            accumulator.count(
                group, at: plan.windows.end, lines: Double(lines[place]), bytes: Double(bytes[place]))
        }
    }

    @inline(__always)
    private func count(_ row: Int, _ group: Int, _ accumulator: inout RangeAccumulator) {
        accumulator.count(
            group, at: batch.times[row], lines: 1, bytes: plan.countsBytes ? Double(batch.lengths[row]) : 0)
    }

    /// The group of a row. One column of few values, the usual case, takes a table.
    @inline(__always)
    private mutating func group(_ row: Int, _ accumulator: inout RangeAccumulator) throws(QueryError) -> Int {
        guard groupColumns.count == 1, !usesLevel, !usesMetadata else { return try anyGroup(row, &accumulator) }
        let code = groupColumns[0].column.codes[row]
        let place = code == TextColumn.missing ? 0 : Int(code) + 1
        if singles.isEmpty { singles = [Int32](repeating: -1, count: groupColumns[0].column.dictionary.count + 1) }
        if singles[place] >= 0 { return Int(singles[place]) }
        let made = try accumulator.group(labels(row))
        singles[place] = Int32(made)
        return made
    }

    private mutating func anyGroup(_ row: Int, _ accumulator: inout RangeAccumulator) throws(QueryError) -> Int {
        var key = groupColumns.map { $0.column.codes[row] }
        if usesLevel { key.append(UInt32(batch.levels[row].rawValue)) }
        if usesMetadata { key.append(batch.metadata?.codes[row] ?? 0) }
        if let known = groups[key] { return known }
        let made = try accumulator.group(labels(row))
        groups[key] = made
        return made
    }

    private mutating func labels(_ row: Int) -> StreamLabels {
        var labels = fixed.labels
        if usesMetadata || usesLevel {
            let own =
                usesMetadata
                ? metadata.labels(row) : StreamLabels([.init("detected_level", batch.levels[row].name)])
            let wanted = plan.grouping.map { own.grouped($0) } ?? own
            labels += wanted.labels.filter { label in !labels.contains { $0.name == label.name } }
        }
        for (name, column) in groupColumns where column.codes[row] != TextColumn.missing {
            let text = column.dictionary.withString(Int(column.codes[row])) { String(decoding: $0, as: UTF8.self) }
            labels.append(.init(name, text))
        }
        return StreamLabels(labels)
    }

    /// Unwraps: each text of the column is converted once.
    private mutating func gatherValues(into accumulator: inout RangeAccumulator) throws(QueryError) {
        guard let column = batch.fields.last, let unwrap = plan.aggregation.range.unwrap else { return }
        var numbers: [Double] = []
        numbers.reserveCapacity(column.dictionary.count)
        for index in 0..<column.dictionary.count {
            numbers.append(
                column.dictionary.withString(index) {
                    LabelValues.sample($0, unwrap.conversion) ?? SeriesMatrix.absent
                })
        }
        let isOne = groupColumns.isEmpty && !usesLevel && !usesMetadata
        let only =
            isOne && !batch.times.isEmpty && column.codes.contains { $0 != TextColumn.missing }
            ? try accumulator.group(fixed) : 0
        for row in batch.times.indices {
            let code = column.codes[row]
            guard code != TextColumn.missing else { continue }
            let number = numbers[Int(code)]
            if number.isAbsent {
                let empty = column.dictionary.withString(Int(code)) { $0.isEmpty }
                if empty { continue }
                throw SampleValue.failure(batch.stream)
            }
            try accumulator.add(isOne ? only : try group(row, &accumulator), at: batch.times[row], number)
        }
    }
}
