import CMillrace

/// Goes from one byte that has a meaning in line protocol to the next, 64 bytes at a time.
struct MarkCursor {
    private let start: UnsafePointer<UInt8>
    private let count: Int
    /// Where the 64 bytes begin that `marks` tells of.
    private var base: Int
    /// The marks that are still to come.
    private var marks: UInt64

    /// `bytes` must stay valid as long as the cursor is used.
    init(_ start: UnsafePointer<UInt8>, count: Int) {
        self.start = start
        self.count = count
        base = 0
        marks = 0
        load()
    }

    /// The position of the next mark, or the number of bytes if there is none.
    @inline(__always)
    mutating func next() -> Int {
        while marks == 0 {
            guard base + 64 < count else { return count }
            base += 64
            load()
        }
        let position = base + marks.trailingZeroBitCount
        marks &= marks - 1
        return position
    }

    /// Goes on at `position`: the next mark is there or behind it.
    mutating func seek(_ position: Int) {
        let part = position & ~63
        if part != base || part >= count {
            base = part
            marks = 0
            guard part < count else { return }
        }
        load()
        marks &= ~0 << UInt64(position & 63)
    }

    @inline(__always)
    private mutating func load() {
        if base + 64 <= count {
            marks = millrace_line_marks(start + base)
        } else if base < count {
            loadTail()
        } else {
            marks = 0
        }
    }

    /// The last bytes, which are fewer than 64: nothing behind them may be read.
    private mutating func loadTail() {
        let rest = count - base
        marks = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { copy in
            copy.initialize(repeating: 0)
            copy.baseAddress?.update(from: start + base, count: rest)
            return millrace_line_marks(copy.baseAddress)
        }
    }
}
