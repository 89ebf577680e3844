import Columns
import Patterns
import Query
import Search
import Synchronization
import Telemetry

/// Lines in memory, read in the plainest way: what a query must answer whatever holds the lines.
final class MemoryLines: LineSource, LineDirectory {
    struct Line {
        var stream: StreamLabels
        var time: Int64
        var text: [UInt8]
        var metadata: [StreamLabels.Label]
        var level: LineLevel
    }

    private let lines = Mutex<[Line]>([])
    /// Lines of a stream that come in one batch; small, so that streams fall into several parts.
    private let batchLines: Int

    init(batchLines: Int = 3) { self.batchLines = batchLines }

    func lines(of tenant: String) -> (any LineSource)? { self }

    func add(_ stream: StreamLabels, _ time: Int64, _ text: String, _ metadata: [StreamLabels.Label] = []) {
        let bytes = Array(text.utf8)
        let level = bytes.withUnsafeBytes {
            LevelDetection.level(of: $0, stream: LevelDetection.level(ofStream: stream.labels), metadata: metadata)
        }
        let sorted = metadata.sorted { $0.name < $1.name }
        lines.withLock { $0.append(Line(stream: stream, time: time, text: bytes, metadata: sorted, level: level)) }
    }

    private func matching(_ matchers: [LabelMatcher], _ range: TimeWindow) -> [Line] {
        lines.withLock { $0 }.filter { line in
            range.contains(line.time) && matchers.allSatisfy { $0.holds(for: line.stream) }
        }
    }

    func streams(matching matchers: [LabelMatcher], in range: TimeWindow) -> [StreamLabels] {
        Set(matching(matchers, range).map(\.stream)).sorted { $0.text < $1.text }
    }

    var streamEstimate: Int { Set(lines.withLock { $0 }.map(\.stream)).count }

    var metadataNames: Set<String>? { Set(lines.withLock { $0 }.flatMap { $0.metadata.map(\.name) }) }

    func scan(_ request: LineRequest) -> [any LineScan] {
        let chosen = matching(request.matchers, request.range).filter { holds(request.condition, $0) }
        var parts: [MemoryLineScan] = []
        for stream in Set(chosen.map(\.stream)).sorted(by: { $0.text < $1.text }) {
            var lines = chosen.filter { $0.stream == stream }.enumerated().sorted {
                ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
            }.map(\.element)
            if request.descending { lines.reverse() }
            // Every second line in another part: parts may interleave.
            for half in 0..<2 {
                let some = lines.enumerated().filter { $0.offset % 2 == half }.map(\.element)
                if !some.isEmpty { parts.append(MemoryLineScan(some, request, batchLines)) }
            }
        }
        return parts
    }

    func totals(_ request: TotalsRequest) -> [StreamTotals] {
        let end = request.start + Int64(request.bucketCount) * request.bucketNanoseconds
        let chosen = matching(request.matchers, TimeWindow(start: request.start, end: end))
        return Dictionary(grouping: chosen, by: \.stream).map { stream, lines in
            struct Key: Hashable { var bucket: Int32; var level: LineLevel }
            let groups = Dictionary(grouping: lines) { line in
                Key(
                    bucket: Int32((line.time - request.start - 1) / request.bucketNanoseconds),
                    level: request.byLevel ? line.level : .unknown)
            }
            return StreamTotals(
                stream: stream,
                entries: groups.map { key, lines in
                    .init(
                        bucket: key.bucket, level: key.level, lines: Int64(lines.count),
                        bytes: Int64(lines.reduce(0) { $0 + $1.text.count }))
                })
        }
    }
}

/// Conditions, read line by line.
extension MemoryLines {
    private func holds(_ condition: LineCondition, _ line: Line) -> Bool {
        switch condition {
        case .all: return true
        case .contains(let text): return line.text.firstRange(of: text) != nil || text.isEmpty
        case .containsIgnoringCase(let text):
            return line.text.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }.firstRange(of: text) != nil
        case .matches(let pattern, let needs):
            let matches = pattern.matches(line.text)
            precondition(!matches || needs.isEmpty || needs.contains { line.text.firstRange(of: $0) != nil })
            return matches
        case .field(let field, let test):
            guard let text = Self.field(field, line.text) else { return false }
            return holds(test, text)
        case .malformed(let format):
            return line.text.withUnsafeBytes { FieldReader().visit(format, $0) { _, _ in true } != nil }
        case .level(let levels): return levels.contains(line.level)
        case .and(let parts): return parts.allSatisfy { holds($0, line) }
        case .or(let parts): return parts.contains { holds($0, line) }
        case .not(let part): return !holds(part, line)
        }
    }

    private func holds(_ test: FieldTest, _ text: [UInt8]) -> Bool {
        switch test {
        case .exists: return true
        case .equals(let wanted): return text == wanted
        case .matches(let pattern): return pattern.matches(text)
        case .number(let comparison, let wanted):
            guard let number = Double(String(decoding: text, as: UTF8.self)) else { return false }
            switch comparison {
            case .equal: return number == wanted
            case .notEqual: return number != wanted
            case .less: return number < wanted
            case .lessOrEqual: return number <= wanted
            case .greater: return number > wanted
            case .greaterOrEqual: return number >= wanted
            }
        }
    }

    static func field(_ field: FieldReference, _ text: [UInt8]) -> [UInt8]? {
        text.withUnsafeBytes { line in
            var failure: FieldFailure?
            return Array(field.name.utf8).withUnsafeBytes { name in
                FieldReader().find(name, field.format, line, failure: &failure).map { Array($0) }
            }
        }
    }
}

/// Some lines of one stream.
private final class MemoryLineScan: LineScan {
    let bounds: TimeWindow
    private let request: LineRequest
    private let batchLines: Int
    private let rest: Mutex<[MemoryLines.Line]>

    init(_ lines: [MemoryLines.Line], _ request: LineRequest, _ batchLines: Int) {
        let times = lines.map(\.time)
        bounds = TimeWindow(start: (times.min() ?? 0) - 1, end: times.max() ?? 0)
        self.request = request
        self.batchLines = batchLines
        rest = Mutex(lines)
    }

    func next() -> LineBatch? {
        let lines = rest.withLock { rest in
            defer { rest.removeFirst(min(batchLines, rest.count)) }
            return Array(rest.prefix(batchLines))
        }
        guard let first = lines.first else { return nil }
        var batch = LineBatch(stream: first.stream, times: lines.map(\.time), levels: lines.map(\.level))
        if request.wantsLines { for line in lines { line.text.withUnsafeBytes { batch.lines.append($0) } } }
        if request.wantsLengths { batch.lengths = lines.map { UInt32($0.text.count) } }
        if request.wantsMetadata, lines.contains(where: { !$0.metadata.isEmpty }) {
            var sets: [[StreamLabels.Label]] = [[]]
            let codes = lines.map { line in
                if let known = sets.firstIndex(of: line.metadata) { return UInt32(known) }
                sets.append(line.metadata)
                return UInt32(sets.count - 1)
            }
            batch.metadata = LineMetadata(sets: sets, codes: codes)
        }
        for field in request.fields {
            var column = TextColumn(codes: [], dictionary: ByteStrings())
            for line in lines {
                guard let text = MemoryLines.field(field, line.text) else {
                    column.codes.append(TextColumn.missing)
                    continue
                }
                text.withUnsafeBytes { column.dictionary.append($0) }
                column.codes.append(UInt32(column.dictionary.count - 1))
            }
            batch.fields.append(column)
        }
        return batch
    }
}
