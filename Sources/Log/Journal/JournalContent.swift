import KafkaWire
import Machine

/// Everything that the journal files promise, by segment.
struct JournalContent: Sendable {
    struct SegmentKey: Sendable, Hashable {
        let topicID: Uuid
        let partition: Int32
        let base: Int64
    }

    /// Bytes and their place in the segment.
    struct Extent: Sendable {
        fileprivate let image: Int
        fileprivate let range: Range<Int>
        let position: Int64
        var end: Int64 { position + Int64(range.count) }
    }

    /// A journal file.
    struct Source: Sendable {
        let path: String
        let image: JournalImage
    }

    /// In the order in which they are to be redone.
    let sources: [Source]
    /// The segments, in the order in which they first occur.
    private(set) var segments: [SegmentKey] = []
    /// What belongs into each, in the order of the rounds.
    private(set) var extents: [SegmentKey: [Extent]] = [:]

    var isEmpty: Bool { segments.isEmpty }
    /// The highest generation that any file tells.
    var lastGeneration: UInt64 { sources.compactMap(\.image.generation).max() ?? 0 }

    /// Reads both files; a missing one is empty.
    init(in directory: String, _ files: any FileSystem) throws(LogError) {
        var sources: [Source] = []
        for index in 0..<2 {
            let path = JournalFormat.path(index, in: directory)
            guard let bytes = try WholeFile.read(path, files) else { continue }
            sources.append(Source(path: path, image: JournalImage(bytes)))
        }
        self.init(sources)
    }

    init(_ sources: [Source]) {
        self.sources = sources.sorted { ($0.image.generation ?? 0) < ($1.image.generation ?? 0) }
        for (index, source) in self.sources.enumerated() {
            for entry in source.image.rounds.flatMap(\.entries) {
                let key = SegmentKey(topicID: entry.topicID, partition: entry.partition, base: entry.segmentBase)
                if extents[key] == nil { segments.append(key) }
                extents[key, default: []].append(
                    Extent(image: index, range: entry.range, position: entry.position))
            }
        }
    }

    func withBytes<Result, Failure: Error>(
        of extent: Extent, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try sources[extent.image].image.bytes.withBytes { bytes throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[extent.range]))
        }
    }

    /// What an operator should know of the files themselves.
    var findings: [(path: String, position: Int, message: String)] {
        sources.flatMap { source in
            let first =
                source.image.isFirstBlockDamaged
                ? [(source.path, 0, "the first block does not verify; its rounds are taken as they are")] : []
            return first
                + source.image.damage.map { (source.path, $0, "a round that was acknowledged does not verify") }
        }
    }
}
