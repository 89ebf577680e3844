import Bytes

/// Where the slots of one text are, as a splitter finds them: what varies from text to text. Slots never touch each
/// other.
struct SlotBuffer {
    private(set) var slots: [TextRange] = []

    init() { slots.reserveCapacity(ColumnLimits.slots + 1) }

    var isFull: Bool { slots.count >= ColumnLimits.slots - 1 }

    mutating func removeAll() { slots.removeAll(keepingCapacity: true) }

    /// Adds a slot behind all others.
    @inline(__always)
    mutating func append(_ start: Int, _ end: Int) {
        slots.append(TextRange(start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end)))
    }

    /// Makes one slot of everything from `start` on, and of the slot that ends there.
    mutating func appendRest(_ start: Int, _ end: Int) {
        guard start < end else { return }
        if let last = slots.last, Int(last.end) >= start {
            slots[slots.count - 1].end = UInt32(end)
        } else {
            append(start, end)
        }
    }

    /// A hash of what is no slot, and of where the slots stand in it.
    func hash(_ text: TextRange, _ base: UnsafeRawPointer) -> UInt64 {
        var hash: UInt64 = 0
        var start = Int(text.start)
        for slot in slots {
            hash = TextHash.mix(hash, TextHash.hash(base + start, count: Int(slot.start) &- start, folding: 0))
            start = Int(slot.end)
        }
        return TextHash.mix(hash, TextHash.hash(base + start, count: Int(text.end) &- start, folding: 0))
    }

    /// Whether another text has the same literal pieces.
    func hasPieces(
        of other: TextRange, _ otherSlots: [TextRange], _ text: TextRange, _ base: UnsafeRawPointer
    ) -> Bool {
        guard otherSlots.count == slots.count else { return false }
        var (start, otherStart) = (text.start, other.start)
        for (slot, otherSlot) in zip(slots, otherSlots) {
            guard
                Self.areEqual(
                    TextRange(start: start, end: slot.start), TextRange(start: otherStart, end: otherSlot.start), base)
            else { return false }
            (start, otherStart) = (slot.end, otherSlot.end)
        }
        return Self.areEqual(
            TextRange(start: start, end: text.end), TextRange(start: otherStart, end: other.end), base)
    }

    private static func areEqual(_ left: TextRange, _ right: TextRange, _ base: UnsafeRawPointer) -> Bool {
        ByteSearch.areEqual(left.bytes(of: base), right.bytes(of: base))
    }
}
