/// An array that only grows, whose elements never move: pieces of memory, each twice the size of the one before.
///
/// One thread appends while others read, without a lock: readers touch only elements below a count that the appending
/// thread published under a `Mutex` after it wrote them.
///
/// `@unchecked Sendable` is safe because no element below a published count is ever written again, the directory's
/// entry for it was set before the count was published, and nothing else is shared.
package final class AppendOnlyArray<Element: BitwiseCopyable>: @unchecked Sendable {
    /// 2 to the power of this many elements are in the first piece.
    @inlinable static var firstShift: Int { 4 }
    /// So many pieces hold 2^36 elements.
    @inlinable static var pieces: Int { 32 }

    @usableFromInline let directory: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>
    /// The number of elements; of use to the appending thread only.
    @usableFromInline package var count = 0

    /// Without elements.
    package init() {
        directory = .allocate(capacity: Self.pieces)
        directory.initialize(repeating: nil, count: Self.pieces)
    }

    deinit {
        for piece in 0..<Self.pieces { directory[piece]?.deallocate() }
        directory.deallocate()
    }

    /// The memory of the elements in use.
    package var usedBytes: Int { count * MemoryLayout<Element>.stride }

    /// Adds an element at the end.
    @inlinable @inline(__always)
    package func append(_ element: Element) {
        let (piece, offset) = Self.place(count)
        if offset == 0 { grow(piece) }
        // Safe because `grow` made the piece when its first element came.
        directory[piece].unsafelyUnwrapped[offset] = element
        count &+= 1
    }

    /// An element below `count`.
    @inlinable package subscript(index: Int) -> Element {
        @inline(__always) get {
            let (piece, offset) = Self.place(index)
            // Safe because callers index only what was appended.
            return directory[piece].unsafelyUnwrapped[offset]
        }
    }

    /// Changes an element that no reader touches.
    @inlinable @inline(__always)
    package func replace(_ index: Int, with element: Element) {
        let (piece, offset) = Self.place(index)
        directory[piece].unsafelyUnwrapped[offset] = element
    }

    @inline(never) @usableFromInline
    func grow(_ piece: Int) {
        precondition(piece < Self.pieces, "more elements than 32 bits count")
        if directory[piece] == nil { directory[piece] = .allocate(capacity: 1 << (piece + Self.firstShift)) }
    }

    @inlinable @inline(__always)
    static func place(_ index: Int) -> (piece: Int, offset: Int) {
        let shifted = index &+ (1 &<< firstShift)
        let top = Int.bitWidth &- 1 &- shifted.leadingZeroBitCount
        return (top &- firstShift, shifted &- (1 &<< top))
    }
}
