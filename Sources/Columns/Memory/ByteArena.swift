/// Byte strings in pieces of memory that never move: what a head knows by name, the strings of its fields, its lines.
///
/// Safe because bytes never change once written, as in `AppendOnlyArray`: readers look only at strings whose
/// reference they got from something published.
package final class ByteArena: @unchecked Sendable {
    /// Where a string is: its position in the upper 43 bits, its length in the lower 21.
    package struct Reference: BitwiseCopyable, Sendable {
        @usableFromInline let bits: UInt64

        @inlinable @inline(__always)
        init(bits: UInt64) { self.bits = bits }

        /// The length in bytes.
        @inlinable @inline(__always) package var count: Int { Int(truncatingIfNeeded: bits & 0x1F_FFFF) }
        /// Where it begins; later strings begin later.
        @inlinable @inline(__always) package var position: Int { Int(truncatingIfNeeded: bits &>> 21) }
    }

    /// The longest string: InfluxDB's bound on keys and string fields is 64 KiB, ours on log lines 1 MiB.
    package static let maximumStringBytes = 1 << 20

    @inlinable static var firstShift: Int { 16 }
    /// So many pieces hold 8 TiB, which is what 43 bits count.
    @inlinable static var pieces: Int { 27 }
    @usableFromInline let directory: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    @usableFromInline var position = 0
    /// The bytes of all strings.
    package var usedBytes = 0

    /// Without strings.
    package init() {
        directory = .allocate(capacity: Self.pieces)
        directory.initialize(repeating: nil, count: Self.pieces)
    }

    deinit {
        for piece in 0..<Self.pieces { directory[piece]?.deallocate() }
        directory.deallocate()
    }

    /// Copies a string of at most `maximumStringBytes` in.
    @inlinable @inline(__always)
    package func append(_ bytes: UnsafeRawBufferPointer) -> Reference {
        precondition(bytes.count <= 1 << 20, "a string that is too long for a head")
        var (piece, offset) = Self.place(position)
        // A string does not cross the end of a piece.
        while offset &+ bytes.count > 1 &<< (piece &+ Self.firstShift) {
            piece &+= 1
            offset = 0
            position = (1 &<< (piece &+ Self.firstShift)) &- (1 &<< Self.firstShift)
        }
        if directory[piece] == nil { grow(piece) }
        let start = position
        if let source = bytes.baseAddress {
            directory[piece].unsafelyUnwrapped.advanced(by: offset).copyMemory(from: source, byteCount: bytes.count)
        }
        position &+= bytes.count
        usedBytes &+= bytes.count
        return Reference(bits: UInt64(truncatingIfNeeded: start) &<< 21 | UInt64(truncatingIfNeeded: bytes.count))
    }

    /// The bytes of a string, valid as long as the arena is referenced.
    @inlinable @inline(__always)
    package func bytes(_ reference: Reference) -> UnsafeRawBufferPointer {
        guard reference.count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let (piece, offset) = Self.place(reference.position)
        // Safe because a reference with bytes was made by `append`, which made the piece.
        return UnsafeRawBufferPointer(
            start: UnsafeRawPointer(directory[piece].unsafelyUnwrapped).advanced(by: offset), count: reference.count)
    }

    /// The memory up to the end of a string, in pieces that hold every string up to there in the order in which they were
    /// added (and bytes of no meaning between pieces): what is searched as a whole.
    package func pieces(
        through last: Reference, _ body: (_ position: Int, _ bytes: UnsafeRawBufferPointer) -> Bool
    ) {
        let end = last.position + last.count
        var start = 0
        for piece in 0..<Self.pieces where start < end {
            let size = 1 << (piece + Self.firstShift)
            // Safe because bytes in front of a published string's end are never written again. A piece that was passed
            // over was never made.
            if let memory = directory[piece] {
                let bytes = UnsafeRawBufferPointer(start: memory, count: min(size, end - start))
                guard body(start, bytes) else { return }
            }
            start += size
        }
    }

    @inline(never) @usableFromInline
    func grow(_ piece: Int) {
        precondition(piece < Self.pieces, "an arena of 8 TiB")
        directory[piece] = .allocate(byteCount: 1 << (piece + Self.firstShift), alignment: 16)
    }

    @inlinable @inline(__always)
    static func place(_ position: Int) -> (piece: Int, offset: Int) {
        let shifted = position &+ (1 &<< firstShift)
        let top = Int.bitWidth &- 1 &- shifted.leadingZeroBitCount
        return (top &- firstShift, shifted &- (1 &<< top))
    }
}
