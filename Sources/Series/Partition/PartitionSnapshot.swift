import View

/// A block of the manifest that readers see.
final class PartitionBlock: Sendable {
    let entry: BlockEntry
    let details: BlockDetails
    /// The open file, or why it cannot be read: a query that needs it fails with that.
    let content: Result<Block, SeriesError>

    /// - Parameter damaged: where damage is noted, that of later reading too.
    init(_ entry: BlockEntry, from store: any BlockStore, noting damaged: DamagedBlocks) throws(SeriesError) {
        self.entry = entry
        details = try BlockDetails(decoding: entry.details)
        do throws(ViewError) {
            let map = try store.map(entry)
            do throws(SeriesError) {
                content = .success(
                    try Block(map, name: "block \(entry.id)") { [id = entry.id] in damaged.add(id, $0) })
            } catch {
                content = .failure(error)
            }
        } catch {
            content = .failure(SeriesError(.damaged, "block \(entry.id) cannot be read", cause: error))
        }
        // That of a newer format, for one, is no damage in the block.
        if case .failure(let error) = content { damaged.add(entry.id, error) }
    }

    /// The open file.
    func block() throws(SeriesError) -> Block { try content.get() }

    /// Whether a deletion that is not applied to it may hide points of it. Without a look at its series; a block that
    /// cannot be read may have any.
    func needs(_ tombstone: Tombstone) -> Bool {
        guard tombstone.concerns(details) else { return false }
        guard case .success(let block) = content else { return true }
        switch tombstone.target {
        case .retentionPolicy: return true
        case .measurement(let name): return block.table(name) != nil
        case .points(let predicate):
            return block.tables.contains {
                predicate.concerns($0.measurement) && predicate.times.overlaps($0.range)
            }
        }
    }
}

/// A head that is being written into blocks.
final class FrozenHead: Sendable {
    let head: Head
    /// The offset of the first record that is not in it.
    let nextOffset: Int64
    /// What the view knew then, with the number of the next cut.
    let state: SeriesState
    /// The number of this cut.
    let cut: Int64

    init(_ head: Head, nextOffset: Int64, state: SeriesState, cut: Int64) {
        self.head = head
        self.nextOffset = nextOffset
        self.state = state
        self.cut = cut
    }
}

/// What one partition shows: consistent, and unchanged as long as somebody holds it.
struct PartitionSnapshot: Sendable {
    var head: Head
    var frozen: FrozenHead?
    /// In the order of their cuts: points of later ones win.
    var blocks: [PartitionBlock] = []
    var retentionPolicies: [RetentionPolicy]
    /// What the default policy is called, whether it is there or was dropped.
    var defaultPolicyName: [UInt8]
    var tombstones: [Tombstone] = []
    /// The manifest's: what was before is in its blocks.
    var nextOffset: Int64 = 0
    var seriesEstimate = 0

    /// The policy of a name; nil stands for the default one.
    func policy(_ name: [UInt8]?) throws(SeriesError) -> RetentionPolicy {
        let name = name ?? defaultPolicyName
        if let policy = retentionPolicies.first(where: { $0.name == name }) { return policy }
        throw SeriesError(.invalid, "retention policy not found: \(String(decoding: name, as: UTF8.self))")
    }

    /// The names of the measurements of a policy, or of all; without those of which deletions have left no series.
    func measurements(_ retentionPolicy: [UInt8]?) throws(SeriesError) -> Set<[UInt8]> {
        var names: Set<[UInt8]> = []
        func isWanted(_ name: [UInt8]) -> Bool { retentionPolicy.map { $0 == name } ?? true }
        for table in head.tables(where: { isWanted($0.retentionPolicy) })
        where table.hasRows(table.view(), hidden: []) { names.insert(table.key.measurement) }
        for table in frozen?.head.tables(where: { isWanted($0.retentionPolicy) }) ?? []
        where !names.contains(table.key.measurement) {
            if try frozenSource(table)?.hasSeries() == true { names.insert(table.key.measurement) }
        }
        for block in blocks where isWanted(block.details.retentionPolicy) {
            for table in try block.block().tables where !names.contains(table.measurement) {
                if try source(table, of: block)?.hasSeries() == true { names.insert(table.measurement) }
            }
        }
        return names
    }

    /// Everything that holds points of a table, the oldest first: of equal points those of later sources win.
    func sources(_ measurement: [UInt8], _ retentionPolicy: [UInt8]) throws(SeriesError) -> [TableSource] {
        var sources: [TableSource] = []
        for block in blocks where block.details.retentionPolicy == retentionPolicy {
            guard !isGone(measurement, of: retentionPolicy, at: block.details.appliedThrough) else { continue }
            guard let table = try block.block().table(measurement) else { continue }
            if let source = try source(table, of: block) { sources.append(source) }
        }
        let key = TableKey(retentionPolicy: retentionPolicy, measurement: measurement)
        if let table = frozen?.head.table(key), let source = frozenSource(table) { sources.append(source) }
        if let table = head.table(key) { sources.append(.head(table, table.view(), [])) }
        return sources
    }

    /// A table of a block with what deletions hide of it; nil if that is all.
    private func source(_ table: BlockTable, of block: PartitionBlock) throws(SeriesError) -> TableSource? {
        let applied = block.details.appliedThrough
        guard !isGone(table.measurement, of: block.details.retentionPolicy, at: applied) else { return nil }
        return .block(table, try Self.removals(deletions(of: table.measurement, at: applied), table))
    }

    /// A table of the frozen head with what deletions hide of it; nil if that is all.
    private func frozenSource(_ table: HeadTable) -> TableSource? {
        let (measurement, offset) = (table.key.measurement, frozen?.nextOffset ?? 0)
        guard !isGone(measurement, of: table.key.retentionPolicy, at: offset) else { return nil }
        let view = table.view()
        let hidden = deletions(of: measurement, at: offset).map {
            BlockRemoval(series: table.series(matching: $0.tagPredicate, view), range: $0.times)
        }
        return .head(table, view, hidden)
    }

    /// The sources of a measurement in one policy, or in all.
    func sources(_ measurement: [UInt8], anyOf retentionPolicy: [UInt8]?) throws(SeriesError) -> [TableSource] {
        if let retentionPolicy { return try sources(measurement, retentionPolicy) }
        var all: [TableSource] = []
        for policy in retentionPolicies { all += try sources(measurement, policy.name) }
        return all
    }

    /// Whether all of a measurement was dropped from what was applied up to an offset.
    func isGone(_ measurement: [UInt8], of retentionPolicy: [UInt8], at appliedThrough: Int64) -> Bool {
        tombstones.contains { tombstone in
            guard tombstone.offset >= appliedThrough else { return false }
            switch tombstone.target {
            case .measurement(let name): return name == measurement
            case .retentionPolicy(let name): return name == retentionPolicy
            case .points(let predicate):
                return predicate.tags.isEmpty && predicate.times == .min ... .max && predicate.concerns(measurement)
            }
        }
    }

    /// The deletions of some points that concern what was applied up to an offset.
    func deletions(of measurement: [UInt8], at appliedThrough: Int64) -> [DeletePredicate] {
        tombstones.compactMap { tombstone in
            guard tombstone.offset >= appliedThrough, case .points(let predicate) = tombstone.target,
                predicate.concerns(measurement)
            else { return nil }
            return predicate
        }
    }

    static func removals(_ deletions: [DeletePredicate], _ table: BlockTable) throws(SeriesError) -> [BlockRemoval] {
        var removals: [BlockRemoval] = []
        for deletion in deletions where deletion.times.overlaps(table.range) {
            let series = deletion.tags.isEmpty ? nil : try table.matching(deletion.tagPredicate)
            removals.append(BlockRemoval(series: series, range: deletion.times))
        }
        return removals
    }
}
