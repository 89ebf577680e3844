import Machine

/// A segment's index: in memory while the segment grows, mapped once it is sealed.
enum SparseIndex<Entry: IndexEntry>: Sendable {
    case memory([Entry])
    case mapped(IndexView<Entry>)

    var count: Int {
        switch self {
        case .memory(let entries): entries.count
        case .mapped(let view): view.count
        }
    }

    var last: Entry? { count == 0 ? nil : self[count - 1] }

    var entries: [Entry] {
        switch self {
        case .memory(let entries): entries
        case .mapped(let view): (0..<view.count).map { view[$0] }
        }
    }

    subscript(index: Int) -> Entry {
        switch self {
        case .memory(let entries): entries[index]
        case .mapped(let view): view[index]
        }
    }

    /// The last of the entries for which `belongs` holds; it holds for a prefix of them.
    @inline(__always)
    func last(where belongs: (Entry) -> Bool) -> Entry? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : self[low - 1]
    }
}

/// Both indexes of a segment.
struct SegmentIndexes: Sendable {
    var offsets: SparseIndex<OffsetEntry> = .memory([])
    var times: SparseIndex<TimeEntry> = .memory([])
}
