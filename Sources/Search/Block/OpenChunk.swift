import Columns
import Telemetry

/// A chunk on its way into another block: its next line.
struct OpenChunk {
    private let times: [Int64]
    private let levels: [LineLevel]
    private let lines: ByteStrings
    private let metadata: DecodedTexts?
    private let rows: [UInt32]
    private let order: (block: Int, chunk: Int)
    private var place = 0

    /// Reads some rows of a chunk, at least one.
    init(_ chunk: LineChunk, _ rows: RowSelection, order: (block: Int, chunk: Int)) throws(SearchError) {
        times = try chunk.times()
        levels = try chunk.levels()
        lines = try chunk.lines(rows)
        metadata = try chunk.metadataTexts()
        self.rows = rows.rows(of: chunk.entry.lines)
        self.order = order
    }

    var isAtEnd: Bool { place == rows.count }

    /// The time of the next line.
    var time: Int64 { times[Int(rows[place])] }

    /// Whether its next line goes before that of another chunk: the earlier, or that of the earlier block.
    func precedes(_ other: OpenChunk) -> Bool {
        (time, order.block, order.chunk) < (other.time, other.order.block, other.order.chunk)
    }

    /// Hands on the next line.
    mutating func append(to block: inout LineBlockEncoder) throws(SearchError) {
        let row = Int(rows[place])
        try lines.withString(place) { line throws(SearchError) in
            guard let metadata else {
                return try block.append(
                    time: times[row], level: levels[row], line: line,
                    metadata: UnsafeRawBufferPointer(start: nil, count: 0))
            }
            try metadata.bytes.withUnsafeBufferPointer { bytes throws(SearchError) in
                try block.append(
                    time: times[row], level: levels[row], line: line,
                    metadata: metadata.ranges[row].bytes(of: UnsafeRawBufferPointer(bytes)))
            }
        }
        place += 1
    }
}
