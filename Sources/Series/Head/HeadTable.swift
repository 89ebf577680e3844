import Columns
import Synchronization
import Telemetry

/// The points of one measurement in one retention policy since the last cut: a dictionary of series, and rows in the
/// order in which they came.
///
/// One thread applies; what it wrote becomes visible with `publish`. Readers take a `View`.
final class HeadTable: @unchecked Sendable {
    // Safe because everything but `published` and `order` belongs to the applying thread, and what a view refers to is
    // never changed again (AppendOnlyArray, RowGroup).
    let key: TableKey
    let arena: ByteArena
    /// The hash of the measurement's name: where the hashes of its series begin.
    let nameHash: UInt64
    /// The series.
    let series: SeriesDictionary

    private(set) var fields: [HeadField] = []
    private let fieldNames: StringTable
    private(set) var groups: [RowGroup] = []
    private(set) var windows: [HeadWindow] = []
    private var windowNumbers: [Int64: Int] = [:]
    private var lastWindow = -1
    private var masks: [HeadMask] = []

    let published = Mutex(View())
    /// The series in the order of their keys, as far as a reader wanted it.
    let order = Mutex(SeriesOrder())

    /// Whether a measurement was dropped: the table is out of the head, and nothing may be added.
    var isDropped = false
    /// What `usedBytes` was when the head was last measured.
    var countedBytes = 0
    /// Whether rows are not yet published.
    var isChanged = false

    init(key: TableKey, arena: ByteArena) {
        self.key = key
        self.arena = arena
        nameHash = key.measurement.withUnsafeBytes { BytesHash.hash($0) }
        series = SeriesDictionary(arena: arena)
        fieldNames = StringTable(arena: arena)
    }

    /// The number of rows: the row ids below `nextRow` exist.
    var nextRow: RowID {
        groups.last.map { RowID(group: groups.count - 1, row: $0.rows) } ?? RowID(group: 0, row: 0)
    }

    /// The memory of the table without its strings.
    var usedBytes: Int {
        groups.reduce(0) { $0 + $1.usedBytes } + series.usedBytes
            + fields.reduce(0) { $0 + ($1.strings?.usedBytes ?? 0) + 64 } + windows.count * 64
    }

    /// The number of a field, or nil. Lines of one source have the same fields in the same order: `expected` is tried
    /// first.
    @inline(__always)
    func field(named name: UnsafeRawBufferPointer, expected: Int) -> Int? {
        if expected < fields.count, equalBytes(fieldNames.string(expected), name) { return expected }
        return fieldNames.find(name, hash: BytesHash.hash(name))
    }

    /// Adds a field that is not there.
    func addField(named name: UnsafeRawBufferPointer, type: FieldType) -> Int {
        let strings = type == .string ? StringTable(arena: arena) : nil
        fields.append(HeadField(name: [UInt8](name), type: type, strings: strings))
        return fieldNames.insert(name, hash: BytesHash.hash(name))
    }

    /// The number that stands for a string in a column.
    func stringNumber(_ string: UnsafeRawBufferPointer, field: Int) -> UInt64 {
        guard let strings = fields[field].strings else { preconditionFailure("a string in a field of another type") }
        let hash = BytesHash.hash(string)
        return UInt64(strings.find(string, hash: hash) ?? strings.insert(string, hash: hash))
    }

    /// Where the next row goes.
    @inline(__always)
    func openGroup() -> RowGroup {
        if let last = groups.last, !last.isFull { return last }
        return addGroup()
    }

    /// Counts a row into its shard window.
    @inline(__always)
    func count(time: Int64, shardNanoseconds: Int64) {
        isChanged = true
        if lastWindow >= 0, time >= windows[lastWindow].start, time < windows[lastWindow].end {
            windows[lastWindow].count(time)
        } else {
            enterWindow(time: time, shardNanoseconds: shardNanoseconds)
        }
    }

    /// Hides the rows so far that a deletion names.
    func mask(_ predicate: DeletePredicate) {
        masks.append(HeadMask(predicate: predicate, below: nextRow))
        isChanged = true
    }

    @inline(never)
    private func addGroup() -> RowGroup {
        // Four times as many as the last, but columns of no more than 4 MiB together.
        let wanted = (groups.last?.capacity ?? 64) * 4
        let bounded = (4 << 20) / (9 * max(1, fields.count))
        let group = RowGroup(capacity: max(64, min(wanted, bounded, RowGroup.maximumRows)))
        precondition(groups.count < 1 << 16, "4 billion rows in a head")
        groups.append(group)
        return group
    }

    @inline(never)
    private func enterWindow(time: Int64, shardNanoseconds: Int64) {
        let window = ShardWindow(containing: time, nanoseconds: shardNanoseconds)
        if let number = windowNumbers[window.start], windows[number].end == window.end {
            lastWindow = number
        } else {
            lastWindow = windows.count
            windowNumbers[window.start] = lastWindow
            windows.append(HeadWindow(start: window.start, end: window.end))
        }
        windows[lastWindow].count(time)
    }

    /// Shows readers what was applied.
    func publish() {
        guard isChanged else { return }
        isChanged = false
        published.withLock { view in
            view.seriesCount = series.count
            if view.fields.count != fields.count { view.fields = fields }
            series.publish(into: &view)
            view.windows = windows
            if view.masks.count != masks.count { view.masks = masks }
            let first = max(0, view.groups.count - 1)
            for number in first..<groups.count {
                let group = groups[number]
                let shown = View.Group(group: group, rows: group.rows, columns: group.columns)
                if number < view.groups.count { view.groups[number] = shown } else { view.groups.append(shown) }
            }
        }
    }
}

/// What names a table: a retention policy and a measurement.
struct TableKey: Hashable, Sendable {
    var retentionPolicy: [UInt8]
    var measurement: [UInt8]
}

/// A field of a table of the head.
struct HeadField: Sendable {
    let name: [UInt8]
    let type: FieldType
    /// The distinct strings of a string field.
    let strings: StringTable?
}

/// The place of a row: ascending in the order in which rows came.
struct RowID: BitwiseCopyable, Comparable {
    let bits: UInt32

    @inline(__always)
    init(group: Int, row: Int) { bits = UInt32(truncatingIfNeeded: group) &<< 16 &+ UInt32(truncatingIfNeeded: row) }

    private init(bits: UInt32) { self.bits = bits }

    /// Behind every row.
    static let end = RowID(bits: .max)

    @inline(__always) var group: Int { Int(bits &>> 16) }
    @inline(__always) var row: Int { Int(bits & 0xFFFF) }

    @inline(__always)
    static func < (left: RowID, right: RowID) -> Bool { left.bits < right.bits }
}

/// Rows that a deletion hides: those below a row.
struct HeadMask: Sendable {
    let predicate: DeletePredicate
    let below: RowID
}

/// The rows of a table that fall into one shard.
struct HeadWindow: Sendable {
    let start: Int64
    /// The first nanosecond behind it.
    let end: Int64
    var minimum = Int64.max
    var maximum = Int64.min

    init(start: Int64, end: Int64) {
        self.start = start
        self.end = end
    }

    @inline(__always)
    mutating func count(_ time: Int64) {
        if time < minimum { minimum = time }
        if time > maximum { maximum = time }
    }
}
