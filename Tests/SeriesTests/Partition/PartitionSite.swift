import Bytes
import KafkaWire
import Series
import Telemetry
import Testing
import View

/// A partition with its log, manifest and blocks, all in memory: what the runner of views does, one step at a time.
struct PartitionSite {
    struct Batch {
        var values: [[UInt8]]
        var headers: [RecordHeader] = []
        var time: Int64
        var isControl = false
        var offset: Int64 = 0
    }

    var log: [Batch] = []
    var nextOffset: Int64 = 0
    let store = MemoryBlockStore()
    var manifest = Manifest(version: 0, nextOffset: 0, blocks: [], state: [], nextBlockID: 1)
    var partition = SeriesPartition()
    var frozenOffset: Int64?

    init() throws { try partition.install(manifest, from: store) }

    /// Appends lines to the log and applies them.
    @discardableResult
    mutating func write(
        _ lines: String, rp: String? = nil, precision: String? = nil, now: Int64 = 1_000
    ) throws -> [Rejection] {
        var headers: [RecordHeader] = []
        if let rp { headers.append(RecordHeader(key: "rp", value: Array(rp.utf8))) }
        if let precision { headers.append(RecordHeader(key: "precision", value: Array(precision.utf8))) }
        return try append(Batch(values: [Array(lines.utf8)], headers: headers, time: now))
    }

    @discardableResult
    mutating func command(_ command: SeriesCommand, now: Int64 = 1_000) throws -> [Rejection] {
        try append(Batch(values: [CommandCodec.encode(command)], time: now, isControl: true))
    }

    @discardableResult
    mutating func append(_ batch: Batch) throws -> [Rejection] {
        var batch = batch
        batch.offset = nextOffset
        nextOffset += Int64(batch.values.count)
        log.append(batch)
        return try Self.apply(batch, to: partition)
    }

    static func apply(_ batch: Batch, to partition: SeriesPartition) throws -> [Rejection] {
        var builder = RecordBatchBuilder()
        for value in batch.values {
            builder.append(
                key: batch.isControl ? ControlRecord.key : nil, value: value, headers: batch.headers,
                timestamp: batch.time)
        }
        var writer = ByteWriter()
        var template = RecordBatchHeader()
        template.baseOffset = batch.offset
        try builder.finish(into: &writer, template: template)
        return try writer.withUnsafeBytes { bytes in
            var batches = RecordBatches(bytes)
            let found = try #require(try batches.next())
            var iterator = try RecordIterator(found, decompressionLimit: 1 << 24)
            var records: [RecordView] = []
            while let record = try iterator.next() { records.append(record) }
            let rejections = partition.apply(
                ViewRecords(appendTimeMilliseconds: batch.time, isControl: batch.isControl, records: records))
            withExtendedLifetime(records) { _ = iterator.header }
            return rejections
        }
    }

    /// Ends the head; `write` follows.
    mutating func freeze() {
        guard frozenOffset == nil else { return }
        partition.freeze(nextOffset: nextOffset)
        frozenOffset = nextOffset
    }

    /// Writes the frozen head and commits.
    mutating func commitFrozen() throws {
        guard let frozenOffset else { return }
        try commit(try partition.write(to: store), nextOffset: frozenOffset)
        self.frozenOffset = nil
    }

    mutating func cut() throws {
        freeze()
        try commitFrozen()
    }

    /// One piece of compaction.
    mutating func compact(now: Int64 = 1_000) throws -> Bool {
        guard let change = try partition.compact(to: store, nowMilliseconds: now) else { return false }
        try commit(change, nextOffset: manifest.nextOffset)
        return true
    }

    private mutating func commit(_ change: ManifestChange, nextOffset: Int64) throws {
        manifest.version += 1
        manifest.nextOffset = nextOffset
        manifest.blocks.removeAll { change.removed.contains($0.id) }
        manifest.blocks += change.added
        if let state = change.state { manifest.state = state }
        try partition.install(manifest, from: store)
    }

    /// A crash: a new engine, from the manifest and the log.
    mutating func restart() throws -> [Rejection] {
        partition = SeriesPartition()
        frozenOffset = nil
        try partition.install(manifest, from: store)
        var rejections: [Rejection] = []
        for batch in log where batch.offset >= manifest.nextOffset {
            rejections += try Self.apply(batch, to: partition)
        }
        return rejections
    }

    /// All points of a measurement.
    func rows(
        _ measurement: String, rp: String? = nil, fields: [String], tagKeys: [String],
        range: ClosedRange<Int64> = .min ... .max, tags: TagPredicate = .all, descending: Bool = false,
        tests: [StringTest] = []
    ) throws -> [ModelRow] {
        var request = ScanRequest(
            measurement: Array(measurement.utf8), retentionPolicy: rp.map { Array($0.utf8) }, range: range,
            fields: fields.map { Array($0.utf8) })
        request.tags = tags
        request.tagKeys = tagKeys.map { Array($0.utf8) }
        request.descending = descending
        request.tests = tests
        return try Self.rows(of: try partition.scan(request).parts, tagKeys: request.tagKeys, descending: descending)
    }

    /// The points of all parts, whose order is checked.
    static func rows(of scans: [any PointScan], tagKeys: [[UInt8]], descending: Bool) throws -> [ModelRow] {
        var rows: [ModelRow] = []
        for scan in scans {
            let table = scan.series
            var part: [ModelRow] = []
            while let step = try scan.next({ _ in false }) {
                guard case .points(let batch) = step else { continue }
                #expect(!batch.times.isEmpty)
                #expect(batch.runs.reduce(0) { $0 + Int($1.count) } == batch.times.count)
                part += ModelRow.flatten([batch]) { series in
                    SeriesKey.encode(
                        tagKeys.indices.map { (tagKeys[$0], table.values[$0][Int(table.codes[$0][Int(series)])]) })
                }
            }
            for (left, right) in zip(part, part.dropFirst()) {
                let order = SeriesKey.compare(left.key, right.key)
                let isInOrder =
                    order < 0 || order == 0 && (descending ? left.time > right.time : left.time < right.time)
                #expect(isInOrder, "\(left) before \(right)")
            }
            rows += part
        }
        // Each part may have rounded down a few times.
        #expect(scans.reduce(0) { $0 + $1.rowEstimate + 16 } >= rows.count, "more rows than was said before")
        return rows.sorted {
            let order = SeriesKey.compare($0.key, $1.key)
            return order < 0 || order == 0 && $0.time < $1.time
        }
    }
}

/// The bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
