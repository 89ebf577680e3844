import Bytes
import Columns
import Search
import Telemetry
import Testing
import View

/// What a block is to hold, as arrays.
struct ArrayContent: LineBlockContent {
    var streams: [(labels: StreamLabels, lines: [TestLine])]
    private var next = 0

    init(_ streams: [(labels: StreamLabels, lines: [TestLine])]) { self.streams = streams }

    mutating func advance(_ block: inout LineBlockEncoder) throws(SearchError) -> Bool {
        guard next < streams.count else { return false }
        try block.begin(streams[next].labels)
        for line in streams[next].lines {
            let metadata = MetadataText.encode(line.metadata)
            try line.text.withUnsafeBufferPointer { text throws(SearchError) in
                try metadata.withUnsafeBufferPointer { metadata throws(SearchError) in
                    try block.append(
                        time: line.time, level: line.level, line: UnsafeRawBufferPointer(text),
                        metadata: UnsafeRawBufferPointer(metadata))
                }
            }
        }
        next += 1
        return true
    }
}

enum LineBlockModel {
    static let details = LineBlockDetails(day: 20_000, level: 0, firstCut: 1, lastCut: 1, appliedThrough: 7)

    /// Writes a block and opens it.
    static func block(_ streams: [(labels: StreamLabels, lines: [TestLine])]) throws -> LineBlock {
        let store = MemoryBlockStore()
        var content = ArrayContent(streams)
        let entry = try #require(try LineBlockWriter.create(in: store, details: details, content: &content))
        return try LineBlock(try store.map(entry), name: "block")
    }

    /// The lines without those that are there already.
    static func distinct(_ lines: [TestLine]) -> [TestLine] {
        var result: [TestLine] = []
        for line in lines {
            let isKnown = result.reversed().prefix { $0.time == line.time }.contains {
                $0.text == line.text && $0.metadata == line.metadata
            }
            if !isKnown { result.append(line) }
        }
        return result
    }

    /// The lines of a stream as the block gives them.
    static func lines(_ block: LineBlock, stream: Int) throws -> [TestLine] {
        let reader = try LineBlockReader()
        var result: [TestLine] = []
        for index in block.chunks(ofStream: stream) {
            let chunk = reader.chunk(index, of: block)
            let texts = try chunk.lines(.all)
            let metadata = try chunk.metadata(.all)
            let levels = try chunk.levels()
            for (row, time) in try chunk.times().enumerated() {
                var line = TestLine(time: time, level: levels[row], text: texts.withString(row) { [UInt8]($0) })
                if let metadata { line.metadata = metadata.sets[Int(metadata.codes[row])] }
                result.append(line)
            }
            #expect(
                try chunk.lengths(.all).map { Int($0) }
                    == (0..<texts.count).map { row in
                        texts.withString(row) { $0.count }
                    })
        }
        return result
    }
}
