/// A set of rows out of `count`.
public struct RowBitmap: Sendable, Equatable {
    /// How many rows there are to choose from.
    public let count: Int
    @usableFromInline private(set) var words: [UInt64]

    /// No row, or every row.
    public init(count: Int, filled: Bool = false) {
        self.count = count
        words = [UInt64](repeating: filled ? .max : 0, count: (count + 63) / 64)
        if filled { clearBehindEnd() }
    }

    private mutating func clearBehindEnd() {
        if count % 64 != 0 { words[words.count - 1] &= (1 << UInt64(count % 64)) - 1 }
    }

    /// Whether a row is in it.
    @inlinable
    public func contains(_ row: Int) -> Bool { words[row >> 6] >> UInt64(row & 63) & 1 != 0 }

    /// Adds a row.
    public mutating func insert(_ row: Int) { words[row >> 6] |= 1 << UInt64(row & 63) }

    /// Takes a row out.
    public mutating func remove(_ row: Int) { words[row >> 6] &= ~(1 << UInt64(row & 63)) }

    /// Adds rows that follow each other.
    public mutating func insert(_ rows: Range<Int>) {
        var row = rows.lowerBound
        while row < rows.upperBound {
            if row & 63 == 0, rows.upperBound - row >= 64 {
                words[row >> 6] = .max
                row += 64
            } else {
                insert(row)
                row += 1
            }
        }
    }

    /// Keeps what is in the other too. Both have the same number of rows.
    public mutating func formIntersection(_ other: RowBitmap) {
        for index in words.indices { words[index] &= other.words[index] }
    }

    /// Adds what is in the other. Both have the same number of rows.
    public mutating func formUnion(_ other: RowBitmap) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    /// The rows that are not in it.
    public func inverted() -> RowBitmap {
        var result = self
        for index in words.indices { result.words[index] = ~words[index] }
        result.clearBehindEnd()
        return result
    }

    /// How many rows are in it.
    public var selectedCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Calls `body` with each row, ascending.
    public func forEach<E: Error>(_ body: (Int) throws(E) -> Void) throws(E) {
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                try body(index << 6 | rest.trailingZeroBitCount)
                rest &= rest &- 1
            }
        }
    }
}

/// Rows out of a number that both sides know.
public enum RowSelection: Sendable, Equatable {
    /// No row.
    case none
    /// Every row.
    case all
    /// These; there may be none among them, or all.
    case some(RowBitmap)

    /// The rows of both.
    public func intersection(_ other: RowSelection) -> RowSelection {
        switch (self, other) {
        case (.none, _), (_, .none): return .none
        case (.all, let rows), (let rows, .all): return rows
        case (.some(var left), .some(let right)):
            left.formIntersection(right)
            return RowSelection(left)
        }
    }

    /// The rows of either.
    public func union(_ other: RowSelection) -> RowSelection {
        switch (self, other) {
        case (.all, _), (_, .all): return .all
        case (.none, let rows), (let rows, .none): return rows
        case (.some(var left), .some(let right)):
            left.formUnion(right)
            return RowSelection(left)
        }
    }

    /// The other rows.
    public var inverted: RowSelection {
        switch self {
        case .none: .all
        case .all: .none
        case .some(let rows): RowSelection(rows.inverted())
        }
    }

    /// The rows of a set; `.none` and `.all` where it is that.
    public init(_ rows: RowBitmap) {
        let selected = rows.selectedCount
        self = selected == 0 ? .none : selected == rows.count ? .all : .some(rows)
    }

    /// The rows as a set out of `count`.
    public func bitmap(count: Int) -> RowBitmap {
        switch self {
        case .none: RowBitmap(count: count)
        case .all: RowBitmap(count: count, filled: true)
        case .some(let rows): rows
        }
    }

    /// How many of `count` rows these are.
    public func selectedCount(of count: Int) -> Int {
        switch self {
        case .none: 0
        case .all: count
        case .some(let rows): rows.selectedCount
        }
    }

    /// The numbers of the rows, ascending.
    public func rows(of count: Int) -> [UInt32] {
        switch self {
        case .none: return []
        case .all: return [UInt32](0..<UInt32(count))
        case .some(let bitmap):
            var rows: [UInt32] = []
            rows.reserveCapacity(bitmap.selectedCount)
            bitmap.forEach { rows.append(UInt32($0)) }
            return rows
        }
    }
}
