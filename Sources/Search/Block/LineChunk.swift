import Bytes
public import Columns
public import Telemetry

/// What one thread needs to read chunks; kept between them.
public final class LineBlockReader {
    let zstd: ZstandardContext
    let fields = FieldReader()
    var layouts = FieldLayoutCache()

    /// - Throws: `.limitReached` if there is no memory.
    public init() throws(SearchError) {
        guard let zstd = ZstandardContext() else { throw SearchError(.limitReached, "no memory for compression") }
        self.zstd = zstd
    }

    /// A chunk, of which nothing is read yet.
    public func chunk(_ chunk: Int, of block: LineBlock) -> LineChunk { LineChunk(block, chunk, self) }
}

/// Lines of one stream in a block, in columns that are read when they are asked for. For one thread at a time.
public final class LineChunk {
    /// What the index says of it.
    public let entry: LineChunkEntry
    let block: LineBlock
    let reader: LineBlockReader
    private var lineColumn: ColumnTree?
    private var knownTimes: [Int64]?
    private var knownLevels: [LineLevel]?

    init(_ block: LineBlock, _ chunk: Int, _ reader: LineBlockReader) {
        self.block = block
        self.reader = reader
        entry = block.chunks[chunk]
    }

    /// The times in nanoseconds, ascending.
    public func times() throws(SearchError) -> [Int64] {
        if let knownTimes { return knownTimes }
        let times = try integers(0)
        guard times.first == entry.minimumTime, times.last == entry.maximumTime,
            zip(times, times.dropFirst()).allSatisfy({ $0 <= $1 })
        else { throw damage(0, "times out of order") }
        knownTimes = times
        return times
    }

    /// The levels.
    public func levels() throws(SearchError) -> [LineLevel] {
        if let knownLevels { return knownLevels }
        if entry.levels.nonzeroBitCount == 1,
            let level = LineLevel(rawValue: UInt8(entry.levels.trailingZeroBitCount))
        {
            return [LineLevel](repeating: level, count: entry.lines)
        }
        var levels: [LineLevel] = []
        levels.reserveCapacity(entry.lines)
        for value in try integers(1) {
            guard let level = LineLevel(rawValue: UInt8(truncatingIfNeeded: value)) else {
                throw damage(1, "a level of no name")
            }
            levels.append(level)
        }
        knownLevels = levels
        return levels
    }

    /// The rows whose times are in the window.
    public func rows(in window: TimeWindow) throws(SearchError) -> RowSelection {
        if window.start < entry.minimumTime, window.end >= entry.maximumTime { return .all }
        if window.start >= entry.maximumTime || window.end < entry.minimumTime { return .none }
        let times = try times()
        let first = Self.firstIndex(behind: window.start, in: times)
        let end = Self.firstIndex(behind: window.end, in: times)
        var rows = RowBitmap(count: entry.lines)
        if first < end { rows.insert(first..<end) }
        return RowSelection(rows)
    }

    private static func firstIndex(behind time: Int64, in times: [Int64]) -> Int {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The exact lines of some rows, ascending.
    public func lines(_ rows: RowSelection) throws(SearchError) -> ByteStrings {
        let wanted = wanted(rows)
        return try column { column throws(BytesError) in try column.strings(rows: wanted) }
    }

    /// The lengths in bytes of some rows' lines, ascending.
    public func lengths(_ rows: RowSelection) throws(SearchError) -> [UInt32] {
        let wanted = wanted(rows)
        return try column { column throws(BytesError) in try column.lengths(0, rows: wanted) }
    }

    /// The structured metadata of some rows, ascending; nil if no line of the chunk has any.
    public func metadata(_ rows: RowSelection) throws(SearchError) -> LineMetadata? {
        guard entry.hasMetadata else { return nil }
        var texts = DecodedTexts()
        do throws(BytesError) {
            texts = try tree(2, limit: LineBlockFormat.maximumRawBytes).texts(0, rows: wanted(rows))
            return try texts.metadata()
        } catch {
            throw damage(2, error)
        }
    }

    /// The rows' metadata as it is stored, for a merge: a text for each row.
    func metadataTexts() throws(SearchError) -> DecodedTexts? {
        guard entry.hasMetadata else { return nil }
        do throws(BytesError) {
            return try tree(2, limit: LineBlockFormat.maximumRawBytes).texts(0, rows: nil)
        } catch {
            throw damage(2, error)
        }
    }

    func wanted(_ rows: RowSelection) -> [UInt32]? {
        if case .all = rows { return nil }
        return rows.rows(of: entry.lines)
    }

    /// The lines' column.
    func column<Result>(_ body: (ColumnTree) throws(BytesError) -> Result) throws(SearchError) -> Result {
        do throws(BytesError) {
            if let lineColumn { return try body(lineColumn) }
            let column = try tree(4, limit: entry.rawBytes)
            lineColumn = column
            return try body(column)
        } catch {
            throw damage(4, error)
        }
    }

    private func tree(_ part: Int, limit: Int) throws(BytesError) -> ColumnTree {
        try ColumnTree(
            head: try block.file.checked(entry.part(part), entry.checksums[part / 2]),
            body: block.file.slice(entry.part(part + 1)), rows: entry.lines, byteLimit: limit, zstd: reader.zstd)
    }

    private func integers(_ part: Int) throws(SearchError) -> [Int64] {
        let first = entry.part(0)
        do throws(BytesError) {
            _ = try block.file.checked(
                FileRange(offset: first.offset, count: first.count + entry.parts[1]), entry.checksums[0])
            return try IntegerCodec.decodeAll(block.file.slice(entry.part(part)), count: entry.lines)
        } catch {
            throw damage(part, error)
        }
    }

    private func damage(_ part: Int, _ error: BytesError) -> SearchError {
        block.file.damage("chunk's part \(part)", at: entry.part(part).offset, error)
    }

    private func damage(_ part: Int, _ reason: String) -> SearchError {
        block.file.damage("chunk's part \(part)", at: entry.part(part).offset, reason)
    }

    /// Reads everything.
    func verify() throws(SearchError) {
        _ = try times()
        _ = try levels()
        _ = try metadataTexts()
        _ = try column { column throws(BytesError) in try column.verify() }
    }
}
