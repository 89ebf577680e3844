import Bytes

/// The literal pieces of skeletons and the texts of their slots, in one piece of memory, on their way to whole texts.
struct SkeletonParts {
    private struct Part {
        let rows: Int
        let slots: Int
        /// The first of its pieces, and of its slots' texts, which stand slot by slot.
        let firstPiece: Int
        let firstText: Int
    }

    private var parts: [Part] = []
    private var pieces: [TextRange] = []
    private var slots: [TextRange] = []
    private var bytes: [UInt8] = []
    /// The bytes that all texts will have.
    private(set) var total = 0

    /// What follows is a skeleton's: its pieces, and the texts of each slot.
    mutating func begin(rows: Int, slots count: Int) {
        parts.append(Part(rows: rows, slots: count, firstPiece: pieces.count, firstText: slots.count))
    }

    mutating func append(piece: UnsafeRawBufferPointer) {
        let start = UInt32(bytes.count)
        bytes.append(contentsOf: piece)
        pieces.append(TextRange(start: start, end: UInt32(bytes.count)))
        total += piece.count * (parts.last?.rows ?? 0)
    }

    mutating func append(slot texts: DecodedTexts) {
        let start = UInt32(bytes.count)
        bytes.append(contentsOf: texts.bytes)
        slots.reserveCapacity(slots.count + texts.ranges.count)
        for range in texts.ranges {
            slots.append(TextRange(start: start &+ range.start, end: start &+ range.end))
            total += range.count
        }
    }

    /// The texts: for each the skeleton is named, and each skeleton's rows come in their order.
    func texts(_ codes: [UInt16]) throws(BytesError) -> DecodedTexts {
        var rows = [Int](repeating: 0, count: parts.count)
        for code in codes { rows[Int(code)] += 1 }
        guard zip(rows, parts).allSatisfy({ $0 == $1.rows }) else {
            throw ColumnTree.malformed("a skeleton of other rows")
        }
        var texts = DecodedTexts()
        texts.ranges.reserveCapacity(codes.count)
        var cursors = [Int](repeating: 0, count: parts.count)
        texts.bytes = [UInt8](unsafeUninitializedCapacity: total) { target, filled in
            // Safe because `total` counts every piece and every slot of every row, and the rows are those counted.
            guard let output = UnsafeMutableRawPointer(target.baseAddress) else { return }
            var place = 0
            bytes.withUnsafeBytes { bytes in
                func copy(_ range: TextRange) {
                    guard range.count > 0, let base = bytes.baseAddress else { return }
                    (output + place).copyMemory(from: base + Int(range.start), byteCount: range.count)
                    place &+= range.count
                }
                for code in codes {
                    let part = parts[Int(code)]
                    let start = UInt32(truncatingIfNeeded: place)
                    copy(pieces[part.firstPiece])
                    var slot = part.firstText &+ cursors[Int(code)]
                    for index in 0..<part.slots {
                        copy(slots[slot])
                        copy(pieces[part.firstPiece &+ index &+ 1])
                        slot &+= part.rows
                    }
                    cursors[Int(code)] &+= 1
                    texts.ranges.append(TextRange(start: start, end: UInt32(truncatingIfNeeded: place)))
                }
            }
            filled = place
        }
        return texts
    }
}
