import Bytes
import Telemetry
public import View

/// Which lines of a chunk a merge keeps.
public protocol LineKeeping {
    /// The rows of a chunk that stay. `.all` without reading the chunk wherever possible: then it may be copied as it is.
    ///
    /// - Parameters:
    ///   - chunk: the chunk; nothing of it is read yet.
    ///   - block: the index of its block among those that are merged.
    mutating func rows(of chunk: LineChunk, block: Int) throws(SearchError) -> RowSelection
}

/// Merges blocks into one: streams by their labels, lines by time, those of equal time in the order of the blocks.
///
/// A chunk of many bytes that keeps all its lines and whose times no other of its stream shares is copied as it stands.
/// Everything else is written anew.
public enum LineBlockMerger {
    /// Chunks with fewer bytes of lines are put together with their neighbours.
    public static let largeChunkBytes = 256 << 10

    /// - Parameters:
    ///   - blocks: in the order of their cuts.
    ///   - keeping: asked once for each chunk.
    /// - Returns: as `LineBlockWriter.create`: nil if no line stays.
    public static func create<Keeping: LineKeeping>(
        in store: any BlockStore, details: LineBlockDetails, blocks: [LineBlock], keeping: Keeping
    ) throws(ViewError) -> BlockEntry? {
        let reader: LineBlockReader
        do throws(SearchError) {
            reader = try LineBlockReader()
        } catch {
            throw ViewError(error)
        }
        var content = MergedContent(blocks, keeping, reader)
        return try LineBlockWriter.create(in: store, details: details, content: &content)
    }
}

/// A stream and where it is.
private struct MergedStream {
    var labels: StreamLabels
    var text: [UInt8]
    var places: [(block: Int, stream: Int)]
}

/// The content of the merged block: a stream at a time.
private struct MergedContent<Keeping: LineKeeping>: LineBlockContent {
    private let blocks: [LineBlock]
    private var keeping: Keeping
    private let reader: LineBlockReader
    private let streams: [MergedStream]
    private var next = 0

    init(_ blocks: [LineBlock], _ keeping: Keeping, _ reader: LineBlockReader) {
        self.blocks = blocks
        self.keeping = keeping
        self.reader = reader
        var byLabels: [StreamLabels: Int] = [:]
        var streams: [MergedStream] = []
        for (index, block) in blocks.enumerated() {
            for stream in 0..<block.streamCount {
                let labels = block.labels(ofStream: stream)
                if let known = byLabels[labels] {
                    streams[known].places.append((index, stream))
                } else {
                    byLabels[labels] = streams.count
                    let text = Array(labels.text.utf8)
                    streams.append(MergedStream(labels: labels, text: text, places: [(index, stream)]))
                }
            }
        }
        self.streams = streams.sorted { $0.text.lexicographicallyPrecedes($1.text) }
    }

    mutating func advance(_ block: inout LineBlockEncoder) throws(SearchError) -> Bool {
        while next < streams.count {
            try write(streams[next], to: &block)
            next += 1
            if block.isFlushDue { return true }
        }
        return false
    }

    private mutating func write(_ stream: MergedStream, to block: inout LineBlockEncoder) throws(SearchError) {
        var parts: [MergedChunk] = []
        for place in stream.places {
            let source = blocks[place.block]
            for index in source.chunks(ofStream: place.stream) {
                let chunk = reader.chunk(index, of: source)
                let rows = try keeping.rows(of: chunk, block: place.block)
                if rows != .none {
                    parts.append(
                        MergedChunk(block: place.block, index: index, entry: source.chunks[index], rows: rows))
                }
            }
        }
        try block.begin(stream.labels)
        parts.sort { ($0.entry.minimumTime, $0.block, $0.index) < ($1.entry.minimumTime, $1.block, $1.index) }
        // Small chunks that follow each other become one chunk: the encoder ends it when it is full.
        var start = 0
        while start < parts.count {
            // Chunks whose times touch belong together.
            var (end, last) = (start + 1, parts[start].entry.maximumTime)
            while end < parts.count, parts[end].entry.minimumTime <= last {
                last = max(last, parts[end].entry.maximumTime)
                end += 1
            }
            if end == start + 1, parts[start].isLarge, parts[start].rows == .all {
                try block.copy(parts[start].index, of: blocks[parts[start].block])
            } else {
                try merge(parts[start..<end], to: &block)
            }
            start = end
        }
    }

    /// Writes the lines of chunks whose times interleave.
    private func merge(_ parts: ArraySlice<MergedChunk>, to block: inout LineBlockEncoder) throws(SearchError) {
        var open: [OpenChunk] = []
        var next = parts.startIndex
        while next < parts.endIndex || !open.isEmpty {
            // A chunk is read when the first of the lines is due, so that few are in memory at a time.
            while next < parts.endIndex,
                open.allSatisfy({ $0.time >= parts[next].entry.minimumTime })
            {
                let part = parts[next]
                let chunk = reader.chunk(part.index, of: blocks[part.block])
                open.append(try OpenChunk(chunk, part.rows, order: (part.block, part.index)))
                next += 1
            }
            var first = 0
            for index in open.indices where open[index].precedes(open[first]) { first = index }
            try open[first].append(to: &block)
            if open[first].isAtEnd { open.remove(at: first) }
        }
    }
}

/// A chunk that takes part in a merge.
private struct MergedChunk {
    var block: Int
    var index: Int
    var entry: LineChunkEntry
    var rows: RowSelection

    var isLarge: Bool { entry.rawBytes >= LineBlockMerger.largeChunkBytes }
}
