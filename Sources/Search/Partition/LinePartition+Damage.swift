import Synchronization

extension LinePartition {
    /// The blocks that are missing or cannot be read, in whole or in part, by id, with the reason: those that were
    /// found so when they were opened, scanned or merged. Queries that need one of them fail and name it; nothing is
    /// left out of an answer silently. Compaction leaves them alone, so that a rebuild can still take from them what is
    /// whole.
    public var damagedBlocks: [UInt64: String] { damaged.all }
}

/// The blocks of a partition that were found damaged.
final class DamagedLineBlocks: Sendable {
    private let reasons = Mutex<[UInt64: String]>([:])
    private let report: @Sendable (String) -> Void

    init(_ report: @escaping @Sendable (String) -> Void) { self.report = report }

    /// By id, with the first reason.
    var all: [UInt64: String] { reasons.withLock { $0 } }

    /// Notes a block, and tells of it the first time.
    func add(_ id: UInt64, _ error: SearchError) {
        let isNew = reasons.withLock { reasons in
            guard reasons[id] == nil else { return false }
            reasons[id] = error.description
            return true
        }
        if isNew { report(error.description) }
    }

    /// Only these blocks are left.
    func forget(allBut ids: Set<UInt64>) {
        reasons.withLock { reasons in reasons = reasons.filter { ids.contains($0.key) } }
    }
}
