import Columns
import Synchronization
import Telemetry

/// Reads chunks of a block: by stream, those of a stream in the order of time.
final class BlockScan: LineScan {
    /// A chunk with what hides lines of it.
    struct Item: Sendable {
        let chunk: Int
        let stream: StreamLabels
        let hidden: [HiddenLines]
    }

    let bounds: TimeWindow
    private let block: LineBlock
    private let request: LineRequest
    private let state: Mutex<State>

    /// What one thread at a time has.
    private struct State {
        /// What is still to be read, the next one last.
        var items: [Item]
        var stream: StreamLabels?
        /// Lines of the stream that were given.
        var given = 0
        var reader: LineBlockReader?
    }

    /// - Parameter items: at least one; in the order in which they are read.
    init(_ block: LineBlock, _ items: [Item], _ request: LineRequest) {
        self.block = block
        self.request = request
        let entries = items.map { block.chunks[$0.chunk] }
        let minimum = entries.map(\.minimumTime).min() ?? 0
        bounds = TimeWindow(
            start: max(request.range.start, minimum == .min ? .min : minimum - 1),
            end: min(request.range.end, entries.map(\.maximumTime).max() ?? 0))
        state = Mutex(State(items: items.reversed()))
    }

    func next() throws(SearchError) -> LineBatch? {
        let outcome = state.withLock { state -> Result<LineBatch?, SearchError> in
            do throws(SearchError) { return .success(try next(&state)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private func next(_ state: inout State) throws(SearchError) -> LineBatch? {
        while let item = state.items.popLast() {
            if item.stream != state.stream { (state.stream, state.given) = (item.stream, 0) }
            let most = (request.limit ?? .max) - state.given
            guard most > 0, try block.mayHold(request.condition, chunk: item.chunk) else { continue }
            if let batch = try read(item, try Self.reader(&state), most: most) {
                state.given += batch.times.count
                return batch
            }
        }
        return nil
    }

    /// The reader, made for the first chunk that has to be read.
    private static func reader(_ state: inout State) throws(SearchError) -> LineBlockReader {
        if let reader = state.reader { return reader }
        let reader = try LineBlockReader()
        state.reader = reader
        return reader
    }

    private func read(_ item: Item, _ reader: LineBlockReader, most: Int) throws(SearchError) -> LineBatch? {
        let chunk = reader.chunk(item.chunk, of: block)
        var rows = try chunk.rows(in: request.range)
        if rows != .none { rows = rows.intersection(try chunk.rows(where: request.condition)) }
        if rows != .none, !item.hidden.isEmpty {
            rows = rows.intersection(try HiddenLines.rows(of: chunk, hidden: item.hidden).inverted)
        }
        let count = rows.selectedCount(of: chunk.entry.lines)
        guard count > 0 else { return nil }
        if count > most { rows = Self.cut(rows, of: chunk.entry.lines, to: most, atEnd: request.descending) }
        var batch = LineBatch(stream: item.stream, times: [], levels: [])
        let (times, levels) = (try chunk.times(), try chunk.levels())
        if rows == .all {
            (batch.times, batch.levels) = (times, levels)
        } else {
            for row in rows.rows(of: chunk.entry.lines) {
                batch.times.append(times[Int(row)])
                batch.levels.append(levels[Int(row)])
            }
        }
        if request.wantsLines { batch.lines = try chunk.lines(rows) }
        if request.wantsLengths { batch.lengths = try chunk.lengths(rows) }
        if request.wantsMetadata { batch.metadata = try chunk.metadata(rows) }
        for field in request.fields { batch.fields.append(try chunk.field(field, rows)) }
        return request.descending ? batch.reversed() : batch
    }

    /// The first or the last of some rows.
    private static func cut(_ rows: RowSelection, of lines: Int, to most: Int, atEnd: Bool) -> RowSelection {
        let all = rows.rows(of: lines)
        var kept = RowBitmap(count: lines)
        for row in atEnd ? all.suffix(most) : all.prefix(most) { kept.insert(Int(row)) }
        return RowSelection(kept)
    }
}

extension LineBatch {
    /// The same lines backwards.
    func reversed() -> LineBatch {
        var batch = self
        batch.times.reverse()
        batch.levels.reverse()
        batch.lengths.reverse()
        batch.metadata?.codes.reverse()
        for index in batch.fields.indices { batch.fields[index].codes.reverse() }
        batch.lines = ByteStrings()
        batch.lines.bytes.reserveCapacity(lines.bytes.count)
        for index in stride(from: lines.count - 1, through: 0, by: -1) {
            lines.withString(index) { batch.lines.append($0) }
        }
        return batch
    }
}
