/// Rows of one table in the order in which they came, by columns, with room for a fixed number of them.
///
/// The applying thread writes rows behind those that it published and never touches a published one again; readers get
/// the number of rows, and the columns, from a `HeadTable.View`.
final class RowGroup: @unchecked Sendable {
    // Safe because of what stands above: published rows never change, and `columns` is read by the applier alone
    // (readers have the copy in their view).
    /// The most rows of a group: a row's number fits into 16 bits.
    static let maximumRows = 1 << 16

    let capacity: Int
    let series: UnsafeMutablePointer<UInt32>
    let times: UnsafeMutablePointer<Int64>
    /// By the table's field; nil where no row has a value yet.
    private(set) var columns: [HeadColumn?] = []
    private(set) var rows = 0

    init(capacity: Int) {
        self.capacity = capacity
        series = .allocate(capacity: capacity)
        times = .allocate(capacity: capacity)
    }

    deinit {
        series.deallocate()
        times.deallocate()
    }

    var isFull: Bool { rows == capacity }

    /// The memory of the rows in use.
    var usedBytes: Int { rows * 12 + columns.reduce(0) { $0 + ($1 == nil ? 0 : rows * 8 + capacity) } }

    /// Sets a field of the row that `finishRow` is about to end.
    @inline(__always)
    func set(field: Int, to bits: UInt64) {
        if field < columns.count, let column = columns[field] {
            column.set(rows, to: bits)
        } else {
            addColumn(field).set(rows, to: bits)
        }
    }

    @inline(__always)
    func finishRow(series ordinal: UInt32, time: Int64) {
        series[rows] = ordinal
        times[rows] = time
        rows &+= 1
    }

    @inline(never)
    private func addColumn(_ field: Int) -> HeadColumn {
        while columns.count <= field { columns.append(nil) }
        let column = HeadColumn(capacity: capacity)
        columns[field] = column
        return column
    }
}

/// The values of one field of a group's rows, as 64 bits each: a number's bits, 0 or 1, or a string's number.
final class HeadColumn: @unchecked Sendable {
    // Safe because published rows never change, as `RowGroup` says.
    let values: UnsafeMutablePointer<UInt64>
    /// 1 where a row has a value. A byte, not a bit: the row behind a published one must not share its memory.
    let present: UnsafeMutablePointer<UInt8>

    init(capacity: Int) {
        values = .allocate(capacity: capacity)
        present = .allocate(capacity: capacity)
        present.initialize(repeating: 0, count: capacity)
    }

    deinit {
        values.deallocate()
        present.deallocate()
    }

    @inline(__always)
    func set(_ row: Int, to bits: UInt64) {
        values[row] = bits
        present[row] = 1
    }

    /// Whether the first rows all have a value.
    func isFull(rows: Int) -> Bool {
        for row in 0..<rows where present[row] == 0 { return false }
        return true
    }
}
