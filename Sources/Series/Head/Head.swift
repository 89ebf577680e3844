import Columns
import Synchronization

/// The points of one partition since a cut, by tables. One thread applies; readers find tables in `registry`.
final class Head: Sendable {
    let arena = ByteArena()
    /// The tables that readers see.
    let registry = Mutex<[TableKey: HeadTable]>([:])

    /// The tables of a measurement, sorted by retention policy.
    func tables(where isWanted: (TableKey) -> Bool) -> [HeadTable] {
        registry.withLock { tables in tables.filter { isWanted($0.key) }.map(\.value) }
            .sorted { SeriesKey.compare($0.key.retentionPolicy, $1.key.retentionPolicy) < 0 }
    }

    /// The retention policies that there are points of, sorted.
    var retentionPolicies: [[UInt8]] {
        Set(registry.withLock { $0.keys.map(\.retentionPolicy) }).sorted { SeriesKey.compare($0, $1) < 0 }
    }

    /// One table.
    func table(_ key: TableKey) -> HeadTable? { registry.withLock { $0[key] } }
}

/// The head as the applying thread has it.
final class HeadWriter {
    let head: Head
    private(set) var tables: [HeadTable] = []
    private var tableNumbers: [TableKey: Int] = [:]
    private var prefixes: [[UInt8]: PrefixTable] = [:]
    private var tableBytes = 0

    init() { head = Head() }

    /// The prefixes of a retention policy.
    func prefixes(of retentionPolicy: [UInt8]) -> PrefixTable {
        if let table = prefixes[retentionPolicy] { return table }
        let table = PrefixTable(arena: head.arena)
        prefixes[retentionPolicy] = table
        return table
    }

    /// The number of a table, or nil.
    func table(_ key: TableKey) -> Int? { tableNumbers[key] }

    /// Adds a table that is not there.
    func addTable(_ key: TableKey) -> Int {
        let table = HeadTable(key: key, arena: head.arena)
        tables.append(table)
        tableNumbers[key] = tables.count - 1
        head.registry.withLock { $0[key] = table }
        return tables.count - 1
    }

    /// Takes tables out with all that is in them.
    func drop(where isDropped: (TableKey) -> Bool) {
        for (key, number) in tableNumbers where isDropped(key) {
            tables[number].isDropped = true
            tableNumbers[key] = nil
            head.registry.withLock { $0[key] = nil }
        }
    }

    /// Shows readers what was applied.
    func publish() {
        for table in tables where table.isChanged && !table.isDropped {
            table.publish()
            tableBytes += table.usedBytes - table.countedBytes
            table.countedBytes = table.usedBytes
        }
    }

    /// The memory that the head takes, dropped tables included: it goes with the head.
    var usedBytes: Int { head.arena.usedBytes + tableBytes + prefixes.values.reduce(0) { $0 + $1.usedBytes } }
}

/// Measurement and tags as they were written, to their series: the short way for lines whose like was seen before.
final class PrefixTable {
    /// A series by its table.
    struct Target: BitwiseCopyable {
        let table: UInt32
        let series: UInt32
    }

    private let prefixes: StringTable
    private let targets = AppendOnlyArray<Target>()

    init(arena: ByteArena) { prefixes = StringTable(arena: arena) }

    /// The memory without the prefixes' bytes.
    var usedBytes: Int { prefixes.usedBytes + targets.usedBytes }

    @inline(__always)
    func find(_ prefix: UnsafeRawBufferPointer, hash: UInt64) -> Target? {
        prefixes.find(prefix, hash: hash).map { targets[$0] }
    }

    /// Remembers the series of a prefix, instead of one that was dropped.
    func set(_ prefix: UnsafeRawBufferPointer, hash: UInt64, to target: Target) {
        if let number = prefixes.find(prefix, hash: hash) {
            targets.replace(number, with: target)
        } else {
            _ = prefixes.insert(prefix, hash: hash)
            targets.append(target)
        }
    }
}
