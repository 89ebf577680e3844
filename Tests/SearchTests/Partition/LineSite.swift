import Bytes
import Columns
import KafkaWire
import Search
import Telemetry
import Testing
import View

/// A partition with its log, manifest and blocks, all in memory: what the runner of views does, one step at a time.
struct LineSite {
    /// A record: a line with what stands beside it.
    struct Record {
        var key: String?
        var value: [UInt8]
        var headers: [RecordHeader] = []
        var timestamp: Int64 = 0
    }

    struct Batch {
        var records: [Record]
        var time: Int64
        var isControl = false
        var offset: Int64 = 0
    }

    var log: [Batch] = []
    var nextOffset: Int64 = 0
    let store = MemoryBlockStore()
    var manifest = Manifest(version: 0, nextOffset: 0, blocks: [], state: [], nextBlockID: 1)
    var partition = LinePartition(topic: "logs.test")
    var frozenOffset: Int64?

    init() throws { try partition.install(manifest, from: store) }

    /// A record of a line at a time in nanoseconds.
    static func record(
        _ stream: String?, _ time: Int64, _ line: [UInt8], _ metadata: [(String, String)] = []
    ) -> Record {
        let milliseconds = time >= 0 ? time / 1_000_000 : -((999_999 - time) / 1_000_000)
        let fraction = time - milliseconds * 1_000_000
        var headers = metadata.map { RecordHeader(key: $0.0, value: Array($0.1.utf8)) }
        if fraction > 0 { headers.insert(RecordHeader(key: "ns", value: Array("\(fraction)".utf8)), at: 0) }
        return Record(key: stream, value: line, headers: headers, timestamp: milliseconds)
    }

    /// Appends lines of one stream to the log and applies them.
    @discardableResult
    mutating func push(_ stream: String?, _ lines: [(Int64, String)], now: Int64 = 1_000) throws -> [Rejection] {
        try append(Batch(records: lines.map { Self.record(stream, $0.0, Array($0.1.utf8)) }, time: now))
    }

    @discardableResult
    mutating func command(_ command: SearchCommand, now: Int64 = 1_000) throws -> [Rejection] {
        let record = Record(value: SearchCommandCodec.encode(command))
        return try append(Batch(records: [record], time: now, isControl: true))
    }

    @discardableResult
    mutating func append(_ batch: Batch) throws -> [Rejection] {
        var batch = batch
        batch.offset = nextOffset
        nextOffset += Int64(batch.records.count)
        log.append(batch)
        return try Self.apply(batch, to: partition)
    }

    static func apply(_ batch: Batch, to partition: LinePartition) throws -> [Rejection] {
        var builder = RecordBatchBuilder()
        for record in batch.records {
            builder.append(
                key: batch.isControl ? ControlRecord.key : record.key.map { Array($0.utf8) }, value: record.value,
                headers: record.headers, timestamp: record.timestamp)
        }
        var writer = ByteWriter()
        var template = RecordBatchHeader()
        template.baseOffset = batch.offset
        try builder.finish(into: &writer, template: template)
        return try writer.withUnsafeBytes { bytes in
            var batches = RecordBatches(bytes)
            let found = try #require(try batches.next())
            var iterator = try RecordIterator(found, decompressionLimit: 1 << 26)
            var records: [RecordView] = []
            while let record = try iterator.next() { records.append(record) }
            let rejections = partition.apply(
                ViewRecords(appendTimeMilliseconds: batch.time, isControl: batch.isControl, records: records))
            withExtendedLifetime(records) { _ = iterator.header }
            return rejections
        }
    }

    /// Ends the head; `commitFrozen` follows.
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
        partition = LinePartition(topic: "logs.test")
        frozenOffset = nil
        try partition.install(manifest, from: store)
        var rejections: [Rejection] = []
        for batch in log where batch.offset >= manifest.nextOffset {
            rejections += try Self.apply(batch, to: partition)
        }
        return rejections
    }
}

/// A line as tests compare it.
struct FoundLine: Hashable, Comparable {
    var stream: String
    var time: Int64
    var line: [UInt8]
    var metadata: [String: String] = [:]
    var level = LineLevel.unknown

    static func < (left: Self, right: Self) -> Bool {
        (left.time, left.stream, String(decoding: left.line, as: UTF8.self))
            < (right.time, right.stream, String(decoding: right.line, as: UTF8.self))
    }
}

extension LineSource {
    /// All lines of all parts, whose bounds and order are checked.
    func lines(_ request: LineRequest) throws -> [FoundLine] {
        var found: [FoundLine] = []
        for part in try scan(request) {
            var last: (stream: StreamLabels, time: Int64)?
            var seen: Set<StreamLabels> = []
            while let batch = try part.next() {
                #expect(!batch.times.isEmpty)
                for (index, time) in batch.times.enumerated() {
                    #expect(part.bounds.contains(time), "\(time) in \(part.bounds)")
                    if let last, last.stream == batch.stream {
                        #expect(request.descending ? last.time >= time : last.time <= time)
                    } else {
                        #expect(seen.insert(batch.stream).inserted, "a stream comes again")
                    }
                    last = (batch.stream, time)
                    var line = FoundLine(stream: batch.stream.text, time: time, line: [])
                    if request.wantsLines { line.line = batch.lines.withString(index) { Array($0) } }
                    if request.wantsLengths { #expect(Int(batch.lengths[index]) == line.line.count) }
                    if let metadata = batch.metadata {
                        for label in metadata.sets[Int(metadata.codes[index])] {
                            line.metadata[label.name] = label.value
                        }
                    }
                    line.level = batch.levels[index]
                    found.append(line)
                }
            }
        }
        return found
    }

    /// The texts of all lines, by time.
    func texts(_ selector: String = "{}", _ condition: LineCondition = .all) throws -> [String] {
        var request = LineRequest(matchers: try StreamSelector(selector).matchers, range: .all)
        request.condition = condition
        return try lines(request).sorted().map { String(decoding: $0.line, as: UTF8.self) }
    }
}

extension TimeWindow {
    /// Every time.
    static let all = TimeWindow(start: .min, end: .max)
}

/// The bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
