import Columns
import KafkaWire
import Telemetry

/// The structured metadata of a head's lines: equal sets, however they were written, have one number.
final class HeadMetadata {
    /// What a set means for the level of its lines.
    struct Level {
        /// Whether it counts before what the stream tells.
        let isFirst: Bool
        /// What the set tells; nil if the line decides.
        let level: LineLevel?
    }

    /// A set that is more than the bounds allow.
    struct Excess: Error {
        let entries: Int
        let bytes: Int
    }

    private let sets: StringTable
    /// Sets as they were written: the headers' bytes without `ns`.
    private var written: StringTable
    private var writtenSets = AppendOnlyArray<UInt32>()
    private(set) var levels: [Level] = [Level(isFirst: false, level: nil)]

    private let arena: ByteArena
    /// The names of all sets.
    private(set) var names = MetadataNames()

    init(_ sets: StringTable, arena: ByteArena) {
        self.sets = sets
        self.arena = arena
        written = StringTable(arena: arena)
    }

    /// The memory without the sets' bytes.
    var usedBytes: Int {
        sets.usedBytes + written.usedBytes + writtenSets.usedBytes + levels.count * MemoryLayout<Level>.stride
    }

    /// The number of a set as it was written before, or nil.
    @inline(__always)
    func set(written bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        written.find(bytes, hash: hash).map { writtenSets[$0] }
    }

    /// Remembers what bytes mean.
    func remember(written bytes: UnsafeRawBufferPointer, hash: UInt64, set: UInt32) {
        _ = written.insert(bytes, hash: hash)
        writtenSets.append(set)
    }

    /// Forgets what was written how: sets are looked at anew.
    func forgetWritten() {
        written = StringTable(arena: arena)
        writtenSets = AppendOnlyArray()
    }

    /// The number of a set, which is added if need be.
    func intern(_ labels: [StreamLabels.Label]) -> UInt32 {
        guard !labels.isEmpty else { return 0 }
        return MetadataText.encode(labels).withUnsafeBytes { bytes in
            let hash = BytesHash.hash(bytes)
            if let found = sets.find(bytes, hash: hash) { return UInt32(found) }
            levels.append(Self.level(of: labels))
            for label in labels { names.insert(label.name) }
            return UInt32(sets.insert(bytes, hash: hash))
        }
    }

    /// What a set tells, found by asking with lines that tell otherwise.
    private static func level(of labels: [StreamLabels.Label]) -> Level {
        func ask(_ line: StaticString, _ stream: LineLevel?) -> LineLevel {
            let bytes = UnsafeRawBufferPointer(start: line.utf8Start, count: line.utf8CodeUnitCount)
            return LevelDetection.level(of: bytes, stream: stream, metadata: labels)
        }
        let (one, other) = (ask("level=debug", nil), ask("level=fatal", nil))
        guard one == other else { return Level(isFirst: false, level: nil) }
        let isFirst = ask("", .debug) == one && ask("", .fatal) == one
        return Level(isFirst: isFirst, level: one)
    }
}
