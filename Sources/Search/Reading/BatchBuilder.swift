import Columns
import Telemetry

/// Puts the lines of a batch together.
struct BatchBuilder {
    private let request: LineRequest
    private let evaluator: LineEvaluator
    private var batch: LineBatch
    /// The number that each set of metadata has in the batch.
    private var setCodes: [UInt32: UInt32] = [:]
    private var sets: [[StreamLabels.Label]] = [[]]
    private var codes: [UInt32] = []
    private var fields: [FieldColumnBuilder]
    /// The bytes of the lines, wanted or not.
    private(set) var rawBytes = 0

    init(_ request: LineRequest, _ evaluator: LineEvaluator, stream: StreamLabels) {
        self.request = request
        self.evaluator = evaluator
        batch = LineBatch(stream: stream, times: [], levels: [])
        fields = request.fields.map { _ in FieldColumnBuilder() }
    }

    var count: Int { batch.times.count }

    /// Adds a line.
    ///
    /// - Parameters:
    ///   - set: the number of its metadata where it comes from; 0 is the empty set.
    ///   - labels: gives the set; asked once for each.
    mutating func append(
        time: Int64, level: LineLevel, line: UnsafeRawBufferPointer, set: UInt32, labels: () -> [StreamLabels.Label]
    ) {
        batch.times.append(time)
        batch.levels.append(level)
        rawBytes += line.count
        if request.wantsLines { batch.lines.append(line) }
        if request.wantsLengths { batch.lengths.append(UInt32(line.count)) }
        if request.wantsMetadata { append(set: set, labels) }
        for (number, field) in request.fields.enumerated() {
            evaluator.value(of: field, in: line) { fields[number].append($0) }
        }
    }

    private mutating func append(set: UInt32, _ labels: () -> [StreamLabels.Label]) {
        var code: UInt32 = 0
        if set != 0 {
            if let known = setCodes[set] {
                code = known
            } else {
                code = UInt32(sets.count)
                sets.append(labels())
                setCodes[set] = code
            }
        }
        codes.append(code)
    }

    /// The batch.
    consuming func finish() -> LineBatch {
        if sets.count > 1 { batch.metadata = LineMetadata(sets: sets, codes: codes) }
        batch.fields = fields.map { $0.column }
        return batch
    }
}

/// A column of texts that grows line by line.
struct FieldColumnBuilder {
    private let table = StringTable(arena: ByteArena())
    private(set) var column = TextColumn(codes: [], dictionary: ByteStrings())

    /// Adds a text, or nothing.
    mutating func append(_ text: UnsafeRawBufferPointer?) {
        guard let text else {
            column.codes.append(TextColumn.missing)
            return
        }
        let hash = BytesHash.hash(text)
        if text.count <= ByteArena.maximumStringBytes, let known = table.find(text, hash: hash) {
            column.codes.append(UInt32(known))
            return
        }
        let code = column.dictionary.count
        column.codes.append(UInt32(code))
        column.dictionary.append(text)
        if text.count <= ByteArena.maximumStringBytes { _ = table.insert(text, hash: hash) }
    }
}
