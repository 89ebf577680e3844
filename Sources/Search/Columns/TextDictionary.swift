import Bytes

/// The distinct texts of a column, found by hashing. Its memory is kept between columns.
struct TextDictionary {
    private static let slots = 4 * ColumnLimits.entries
    private var table = [UInt16](repeating: 0, count: slots)
    private var hashes: [UInt64] = []
    /// The distinct texts, in the order in which they first occur.
    private(set) var entries: [TextRange] = []
    /// How many rows have each.
    private(set) var rows: [UInt32] = []
    /// The code of each row.
    private(set) var codes: [UInt16] = []
    /// The bytes of all entries.
    private(set) var bytes = 0

    var count: Int { entries.count }

    /// Fills it; false, and then of no use, if there are too many distinct texts for a dictionary to pay.
    mutating func fill(_ base: UnsafeRawPointer, _ ranges: [TextRange], _ shape: TextShape) -> Bool {
        table.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        hashes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        rows.removeAll(keepingCapacity: true)
        codes.removeAll(keepingCapacity: true)
        codes.reserveCapacity(ranges.count)
        bytes = 0
        // A long text is worth being stored once even if few rows have it.
        let share = shape.bytes / ranges.count > 64 ? 2 : 4
        for (row, range) in ranges.enumerated() {
            let code = code(of: range, base)
            if Int(code) == entries.count {
                guard entries.count < min(ColumnLimits.entries, 48 + row / share) else { return false }
                entries.append(range)
                rows.append(1)
                bytes += range.count
            } else {
                rows[Int(code)] += 1
            }
            codes.append(code)
        }
        return true
    }

    /// The code of a text; the number of entries if it is new, and then it is in the table.
    private mutating func code(of range: TextRange, _ base: UnsafeRawPointer) -> UInt16 {
        let text = range.bytes(of: base)
        let hash = TextHash.hash(text)
        var slot = Int(truncatingIfNeeded: hash) & (Self.slots - 1)
        while table[slot] != 0 {
            let code = Int(table[slot]) - 1
            if hashes[code] == hash, ByteSearch.areEqual(entries[code].bytes(of: base), text) { return UInt16(code) }
            slot = (slot + 1) & (Self.slots - 1)
        }
        guard entries.count < ColumnLimits.entries else { return UInt16(entries.count) }
        hashes.append(hash)
        table[slot] = UInt16(entries.count + 1)
        return UInt16(entries.count)
    }
}
