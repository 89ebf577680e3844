/// Byte strings in pieces of memory that never move: what a head knows by name, and the strings of its fields.
///
/// Safe because bytes never change once written, as in `AppendOnlyArray`: readers look only at strings whose
/// reference they got from something published.
final class ByteArena: @unchecked Sendable {
    /// Where a string is: its position in the upper 47 bits, its length in the lower 17.
    struct Reference: BitwiseCopyable {
        let bits: UInt64
        @inline(__always) var count: Int { Int(truncatingIfNeeded: bits & 0x1_FFFF) }
        @inline(__always) var position: Int { Int(truncatingIfNeeded: bits &>> 17) }
    }

    /// The longest string: InfluxDB's bound on keys and string fields is 64 KiB.
    static let maximumStringBytes = 1 << 16

    private static let firstShift = 16
    private static let pieces = 30
    private let directory: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private var position = 0
    /// The bytes of all strings.
    private(set) var usedBytes = 0

    init() {
        directory = .allocate(capacity: Self.pieces)
        directory.initialize(repeating: nil, count: Self.pieces)
    }

    deinit {
        for piece in 0..<Self.pieces { directory[piece]?.deallocate() }
        directory.deallocate()
    }

    /// Copies a string of at most `maximumStringBytes` in.
    @inline(__always)
    func append(_ bytes: UnsafeRawBufferPointer) -> Reference {
        precondition(bytes.count <= Self.maximumStringBytes, "a string that is too long for a head")
        var (piece, offset) = Self.place(position)
        // A string does not cross the end of a piece.
        if offset &+ bytes.count > 1 &<< (piece &+ Self.firstShift) {
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
        return Reference(bits: UInt64(truncatingIfNeeded: start) &<< 17 | UInt64(truncatingIfNeeded: bytes.count))
    }

    /// The bytes of a string, valid as long as the arena is referenced.
    @inline(__always)
    func bytes(_ reference: Reference) -> UnsafeRawBufferPointer {
        guard reference.count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let (piece, offset) = Self.place(reference.position)
        // Safe because a reference with bytes was made by `append`, which made the piece.
        return UnsafeRawBufferPointer(
            start: UnsafeRawPointer(directory[piece].unsafelyUnwrapped).advanced(by: offset), count: reference.count)
    }

    @inline(never)
    private func grow(_ piece: Int) {
        precondition(piece < Self.pieces, "an arena of 64 TiB")
        directory[piece] = .allocate(byteCount: 1 << (piece + Self.firstShift), alignment: 16)
    }

    @inline(__always)
    private static func place(_ position: Int) -> (piece: Int, offset: Int) {
        let shifted = position &+ (1 &<< firstShift)
        let top = Int.bitWidth &- 1 &- shifted.leadingZeroBitCount
        return (top &- firstShift, shifted &- (1 &<< top))
    }
}
