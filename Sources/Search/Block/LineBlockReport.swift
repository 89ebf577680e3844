import Bytes
import Columns
public import Telemetry

/// What a look into every byte of a block found, and what its bytes go to.
public struct LineBlockReport: Sendable {
    /// What one stream takes.
    public struct StreamUse: Sendable {
        /// The stream.
        public let labels: StreamLabels
        /// The number of its chunks.
        public internal(set) var chunks = 0
        /// The number of its lines.
        public internal(set) var lines = 0
        /// The bytes of its lines as they came.
        public internal(set) var rawBytes = 0
        /// The bytes of its chunks in the file.
        public internal(set) var storedBytes = 0
    }

    /// What is wrong; empty if all is sound.
    public private(set) var findings: [SearchError] = []
    /// The size of the file.
    public let sizeBytes: Int
    /// The streams, in the order of the block.
    public private(set) var streams: [StreamUse] = []
    /// What the bytes go to: `times`, `levels`, `metadata`, `structure` (heads of columns and which line has which
    /// skeleton), `filters`, `counters`, `field NAME` for the values of a field, `text` for what is no field, `index` for
    /// everything else.
    public private(set) var bytes: [String: Int] = [:]

    /// Of a file that is no block.
    public init(sizeBytes: Int, damage: SearchError) {
        self.sizeBytes = sizeBytes
        findings = [damage]
    }

    /// Reads the whole block.
    public init(_ block: LineBlock) {
        sizeBytes = block.sizeBytes
        for stream in 0..<block.streamCount {
            var use = StreamUse(labels: block.labels(ofStream: stream))
            for chunk in block.chunks(ofStream: stream) {
                let entry = block.chunks[chunk]
                use.chunks += 1
                use.lines += entry.lines
                use.rawBytes += entry.rawBytes
                use.storedBytes += entry.storedBytes
            }
            streams.append(use)
        }
        do throws(SearchError) {
            let reader = try LineBlockReader()
            for chunk in block.chunks.indices {
                do throws(SearchError) {
                    try check(chunk, of: block, reader)
                } catch {
                    findings.append(error)
                }
            }
        } catch {
            findings.append(error)
        }
        bytes["index"] = sizeBytes - bytes.values.reduce(0, +)
    }

    private mutating func check(_ index: Int, of block: LineBlock, _ reader: LineBlockReader) throws(SearchError) {
        let entry = block.chunks[index]
        bytes["times", default: 0] += entry.parts[0]
        bytes["levels", default: 0] += entry.parts[1]
        bytes["metadata", default: 0] += entry.parts[2] + entry.parts[3]
        bytes["filters", default: 0] += entry.filter.count
        bytes["counters", default: 0] += entry.counters.count
        let chunk = reader.chunk(index, of: block)
        try chunk.verify()
        _ = try chunk.metadata(.all)
        let lengths = try chunk.lines(.all)
        let counters = try block.counters(ofChunk: index)
        guard lengths.bytes.count == entry.rawBytes, counters.reduce(0, { $0 + $1.lines }) == entry.lines,
            counters.reduce(0, { $0 + $1.bytes }) == entry.rawBytes
        else { throw block.file.damage("chunk \(index)", at: entry.offset, "other lines than the index says") }
        bytes["structure", default: 0] += entry.parts[4]
        let parts = try chunk.column { column throws(BytesError) in reader.uses(of: column) }
        for (name, count) in parts { bytes[name, default: 0] += count }
    }
}

extension LineBlockReader {
    /// The bytes of a column's body by what they are.
    fileprivate func uses(of column: ColumnTree) -> [(name: String, bytes: Int)] {
        let sizes = column.regionSizes
        guard column.nodes[0].kind == .skeletons else { return [("text", sizes.reduce(0, +))] }
        var uses = [("structure", sizes.first ?? 0)]
        var region = 1
        for skeleton in column.skeletons[column.nodes[0].skeletons] {
            let pieces = column.pieces[skeleton.firstPiece...skeleton.firstPiece + skeleton.slots].map {
                $0.bytes(of: column.head)
            }
            let found = FieldFormat.allCases.map { layouts.layout($0, pieces, fields) }
            for slot in 0..<skeleton.slots {
                let name = found.lazy.compactMap { $0.name(ofSlot: slot) }.first
                if region < sizes.count { uses.append((name.map { "field \($0)" } ?? "text", sizes[region])) }
                region += 1
            }
        }
        return uses
    }
}
