import Bytes
import KafkaWire
import Machine
import Synchronization
import View

/// The smallest engine that can show everything a runner may get wrong: it keeps each record's value with its offset,
/// in order, and removes all of a value by a control record. Blocks are text: a line per record.
final class RecordEngine: ViewEngine {
    struct Entry: Equatable, Hashable, Sendable {
        let offset: Int64
        let value: String
    }

    struct Block: Sendable {
        let entry: BlockEntry
        let appliedThrough: Int64
        let entries: [Entry]
    }

    private struct Frozen: Sendable {
        let nextOffset: Int64
        let entries: [Entry]
        let tombstones: [Entry]
    }

    private struct State: Sendable {
        var head: [Entry] = []
        var frozen: Frozen?
        var blocks: [Block] = []
        var tombstones: [Entry] = []
        var manifest: Manifest?
        var installs = 0
        var damaged: [UInt64: String] = [:]
    }

    private let state = Mutex(State())
    /// Values that are refused.
    let refused: Set<String>

    /// Whether a record that stands in two places is seen once; without a rebuild none may.
    let seesEachOnce: Bool

    init(refused: Set<String> = ["bad"], seesEachOnce: Bool = false) {
        self.refused = refused
        self.seesEachOnce = seesEachOnce
    }

    var headBytes: Int { state.withLock { $0.head.count * 100 } }

    /// What a reader sees, in the order of the log.
    var visible: [Entry] {
        state.withLock { state in
            let inBlocks = state.blocks.flatMap {
                Self.unmasked($0.entries, appliedThrough: $0.appliedThrough, by: state.tombstones)
            }
            // What is being written is what was frozen: deleted since is masked, as in a block.
            let frozen = state.frozen.map {
                Self.unmasked($0.entries, appliedThrough: $0.nextOffset, by: state.tombstones)
            }
            let all = (inBlocks + (frozen ?? []) + state.head).sorted { $0.offset < $1.offset }
            // After a rebuild the same record may stand in an old block and in a new one.
            return seesEachOnce ? all.reduce(into: []) { if $0.last != $1 { $0.append($1) } } : all
        }
    }

    private static func unmasked(_ entries: [Entry], appliedThrough: Int64, by tombstones: [Entry]) -> [Entry] {
        let masking = tombstones.filter { $0.offset >= appliedThrough }
        return entries.filter { entry in
            !masking.contains { $0.value == entry.value && $0.offset > entry.offset }
        }
    }

    var damagedBlocks: [UInt64: String] { state.withLock { $0.damaged } }

    var blockCount: Int { state.withLock { $0.blocks.count } }

    func apply(_ records: borrowing ViewRecords) -> [Rejection] {
        let (isControl, records) = (records.isControl, records.records)
        return state.withLock { state in
            var rejections: [Rejection] = []
            for record in records {
                let value = String(decoding: record.value.map(Array.init) ?? [], as: UTF8.self)
                if isControl {
                    Self.delete(value, at: record.offset, &state)
                } else if refused.contains(value) {
                    rejections.append(
                        Rejection(offset: record.offset, position: 0, content: Array(value.utf8), reason: "refused"))
                } else {
                    state.head.append(Entry(offset: record.offset, value: value))
                }
            }
            return rejections
        }
    }

    private static func delete(_ value: String, at offset: Int64, _ state: inout State) {
        state.head.removeAll { $0.value == value }
        state.tombstones.append(Entry(offset: offset, value: value))
    }

    func freeze(nextOffset: Int64) {
        state.withLock { state in
            precondition(state.frozen == nil)
            state.frozen = Frozen(nextOffset: nextOffset, entries: state.head, tombstones: state.tombstones)
            state.head = []
        }
    }

    func write(to blocks: any BlockStore) throws(ViewError) -> ManifestChange {
        guard let frozen = state.withLock({ $0.frozen }) else { preconditionFailure("nothing is frozen") }
        var change = ManifestChange(state: Self.encode(frozen.tombstones))
        let half = frozen.entries.count / 2
        for part in [frozen.entries[..<half], frozen.entries[half...]] where !part.isEmpty {
            change.added.append(try Self.write(part, appliedThrough: frozen.nextOffset, to: blocks))
        }
        return change
    }

    func compact(to blocks: any BlockStore, nowMilliseconds: Int64) throws(ViewError) -> ManifestChange? {
        let (all, manifest, known) = state.withLock { ($0.blocks, $0.manifest, $0.tombstones) }
        let damaged = damagedBlocks
        // Damaged ones are left alone.
        let old = all.filter { damaged[$0.entry.id] == nil }
        guard old.count >= 4, let manifest else { return nil }
        let tombstones = known.filter { $0.offset < manifest.nextOffset }
        let kept = old.flatMap { Self.unmasked($0.entries, appliedThrough: $0.appliedThrough, by: tombstones) }
        var change = ManifestChange(removed: Set(old.map(\.entry.id)), state: [])
        if !kept.isEmpty {
            change.added = [try Self.write(kept[...], appliedThrough: manifest.nextOffset, to: blocks)]
        }
        return change
    }

    func install(_ manifest: Manifest, from blocks: any BlockStore) throws(ViewError) {
        var (loaded, damaged): ([Block], [UInt64: String]) = ([], [:])
        for entry in manifest.blocks {
            var entries: [Entry] = []
            do throws(ViewError) {
                let map = try blocks.map(entry)
                entries = withExtendedLifetime(map) { Self.decode(Array(map.bytes)) }
            } catch  where error.code == .damaged {
                damaged[entry.id] = error.message
            }
            let details = String(decoding: entry.details, as: UTF8.self)
            loaded.append(Block(entry: entry, appliedThrough: Int64(details) ?? -1, entries: entries))
        }
        let stored = Self.decode(manifest.state)
        state.withLock { state in
            state.installs += 1
            state.blocks = loaded
            state.damaged = damaged
            state.manifest = manifest
            if let frozen = state.frozen, manifest.nextOffset >= frozen.nextOffset { state.frozen = nil }
            // What came after the manifest is known from the log.
            state.tombstones = stored + state.tombstones.filter { $0.offset >= manifest.nextOffset }
        }
    }

    private static func write(
        _ entries: ArraySlice<Entry>, appliedThrough: Int64, to blocks: any BlockStore
    ) throws(ViewError) -> BlockEntry {
        try blocks.create { sink throws(ViewError) in
            for entry in entries {
                let line = encode([entry])
                let written = line.withUnsafeBytes { bytes in
                    Result { () throws(ViewError) in try sink(bytes) }
                }
                try written.get()
            }
            return Array("\(appliedThrough)".utf8)
        }
    }

    private static func encode(_ entries: [Entry]) -> [UInt8] {
        Array(entries.map { "\($0.offset) \($0.value)\n" }.joined().utf8)
    }

    private static func decode(_ bytes: [UInt8]) -> [Entry] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let offset = Int64(parts[0]) else { return nil }
            return Entry(offset: offset, value: String(parts[1]))
        }
    }
}
