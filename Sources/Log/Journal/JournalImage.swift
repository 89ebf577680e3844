/// A journal file's bytes, read without believing them.
struct JournalImage: Sendable {
    /// A round that counts.
    struct Round: Sendable, Equatable {
        let generation: UInt64
        let number: UInt64
        let entries: [JournalEntry]
        /// Where the next one begins.
        let end: Int
    }

    let bytes: [UInt8]
    /// The generation that counts; nil if nothing tells one.
    private(set) var generation: UInt64?
    /// Whether the first block was written and does not verify.
    private(set) var isFirstBlockDamaged = false
    /// The rounds that count, in order.
    private(set) var rounds: [Round] = []
    /// Positions at which a round is missing though later ones count.
    private(set) var damage: [Int] = []
    /// Whether a round of any generation stands at the first place.
    private(set) var hasFirstRound = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        guard bytes.count >= 2 * JournalFormat.blockBytes else { return }
        bytes.withUnsafeBytes { bytes in
            let first = Self.round(at: JournalFormat.blockBytes, in: bytes, of: nil)
            hasFirstRound = first != nil
            generation = JournalFormat.generation(ofFirstBlock: bytes)
            if generation == nil {
                isFirstBlockDamaged = bytes[..<JournalFormat.blockBytes].contains { $0 != 0 }
                generation = first?.generation
            }
            if let generation { collect(bytes, generation) }
        }
    }

    private mutating func collect(_ bytes: UnsafeRawBufferPointer, _ generation: UInt64) {
        var place = JournalFormat.blockBytes
        var number: UInt64 = 0
        while place < bytes.count {
            var round = Self.round(at: place, in: bytes, of: generation)
            if round?.number != number {
                round = Self.round(above: number, from: place, in: bytes, of: generation)
                if round != nil { damage.append(place) }
            }
            guard let round, round.number < .max else { return }
            rounds.append(round)
            place = round.end
            number = round.number + 1
        }
    }

    /// The first round behind `place` with a number above `number`.
    private static func round(
        above number: UInt64, from place: Int, in bytes: UnsafeRawBufferPointer, of generation: UInt64
    ) -> Round? {
        for later in stride(from: place, to: bytes.count, by: JournalFormat.blockBytes) {
            if let round = round(at: later, in: bytes, of: generation), round.number > number { return round }
        }
        return nil
    }

    /// The round at a place, if it verifies and is of the generation (nil: any).
    private static func round(at place: Int, in bytes: UnsafeRawBufferPointer, of generation: UInt64?) -> Round? {
        let overhead = JournalFormat.roundHeaderBytes + JournalFormat.checksumBytes
        guard bytes.count - place >= overhead, bytes.bigEndian(place, as: UInt32.self) == JournalFormat.roundMagic,
            bytes.bigEndian(place + 4, as: UInt16.self) == JournalFormat.version
        else { return nil }
        let found: UInt64 = bytes.bigEndian(place + 8)
        let byteCount = Int(bytes.bigEndian(place + 28, as: UInt32.self))
        guard generation == nil ? found <= JournalFormat.maximumGeneration : found == generation,
            byteCount <= bytes.count - place - overhead
        else { return nil }
        let end = place + JournalFormat.roundHeaderBytes + byteCount
        let checked = UnsafeRawBufferPointer(rebasing: bytes[place..<end])
        guard bytes.bigEndian(end, as: UInt32.self) == Checksum.of(checked),
            let entries = entries(
                from: place + JournalFormat.roundHeaderBytes, to: end, in: bytes,
                count: bytes.bigEndian(place + 24))
        else { return nil }
        return Round(
            generation: found, number: bytes.bigEndian(place + 16), entries: entries,
            end: place + JournalFormat.roundBytes(entries: 0, bytes: byteCount))
    }

    private static func entries(
        from start: Int, to end: Int, in bytes: UnsafeRawBufferPointer, count: UInt32
    ) -> [JournalEntry]? {
        var entries: [JournalEntry] = []
        var place = start
        while place < end {
            guard let entry = JournalEntry(at: place, before: end, in: bytes) else { return nil }
            entries.append(entry)
            place = entry.range.upperBound
        }
        return entries.count == Int(count) ? entries : nil
    }
}
