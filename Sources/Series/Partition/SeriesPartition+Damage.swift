import Synchronization
import View

extension SeriesPartition {
    /// The blocks that cannot be read, by id, with the reason. Queries that need one of them fail and name it; nothing
    /// is left out of an answer silently. Compaction leaves them alone, so that `millrace view rebuild` can still take
    /// from them what is whole.
    public var damagedBlocks: [UInt64: String] { damaged.withLock { $0 } }

    func report(_ blocks: [PartitionBlock]) {
        var found: [UInt64: String] = [:]
        for block in blocks {
            if case .failure(let error) = block.content { found[block.entry.id] = error.description }
        }
        let ids = Set(blocks.map(\.entry.id))
        damaged.withLock { damaged in
            damaged = damaged.filter { ids.contains($0.key) }
            damaged.merge(found) { old, _ in old }
        }
    }

    func report(damage error: SeriesError, of block: PartitionBlock) {
        damaged.withLock { $0[block.entry.id] = error.description }
    }
}
