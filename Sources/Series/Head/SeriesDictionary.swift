import Columns

/// The series of a table: which tags each has, as numbers of values, and which series has given tags.
///
/// A series is a *shape* (a list of tag keys) and a number per key of it. Equal series, however they were written, have
/// equal numbers.
final class SeriesDictionary: @unchecked Sendable {
    // Safe because readers use only the append-only arrays, below published counts; the rest is the applying thread's.
    /// Where a series' numbers are.
    struct Entry: BitwiseCopyable {
        let shape: UInt32
        let firstCode: UInt32
    }

    private let arena: ByteArena
    private(set) var tagKeys: [TagKey] = []
    private var tagKeyNames: [[UInt8]: Int] = [:]
    private(set) var shapes: [[UInt16]] = []
    private var shapeNumbers: [[UInt16]: Int] = [:]
    private var lastShape = 0
    /// For each tag of the series that was added last, whether its value was new.
    var isNewValue: [Bool] = []
    /// Whether a drop had series counted anew, so that values of the head may not be counted.
    var isRecounted = false

    let entries = AppendOnlyArray<Entry>()
    let codes = AppendOnlyArray<UInt32>()
    /// A hash per series that depends on its tags alone: what sketches count.
    let hashes = AppendOnlyArray<UInt64>()
    /// For each series the last sketch window that it was counted in.
    let sketchWindows = AppendOnlyArray<Int64>()
    private var slots: UnsafeMutablePointer<UInt64>
    private var mask = 7

    init(arena: ByteArena) {
        self.arena = arena
        slots = .allocate(capacity: 8)
        slots.initialize(repeating: 0, count: 8)
    }

    deinit { slots.deallocate() }

    /// The number of series.
    var count: Int { entries.count }

    /// The memory without the bytes of the values.
    var usedBytes: Int {
        (mask + 1) * 8 + entries.usedBytes + codes.usedBytes + hashes.usedBytes + sketchWindows.usedBytes
            + tagKeys.reduce(0) { $0 + $1.values.usedBytes + 128 }
    }

    /// The number of a tag key, or nil. Series mostly have the same tags: `expected` is tried first.
    func tagKey(_ name: UnsafeRawBufferPointer, expected: Int) -> Int? {
        if expected < tagKeys.count, tagKeys[expected].name.withUnsafeBytes({ equalBytes($0, name) }) {
            return expected
        }
        return tagKeyNames[[UInt8](name)]
    }

    /// The number of a tag key, which is added if need be.
    func internTagKey(_ name: UnsafeRawBufferPointer, expected: Int) -> Int {
        if let number = tagKey(name, expected: expected) { return number }
        precondition(tagKeys.count < 1 << 16, "65,536 tag keys")
        tagKeys.append(TagKey(name: [UInt8](name), arena: arena))
        tagKeyNames[[UInt8](name)] = tagKeys.count - 1
        return tagKeys.count - 1
    }

    /// The number of a shape, which is added if need be.
    func internShape(_ keys: [UInt16]) -> Int {
        if lastShape < shapes.count, shapes[lastShape] == keys { return lastShape }
        if let number = shapeNumbers[keys] {
            lastShape = number
            return number
        }
        shapes.append(keys)
        shapeNumbers[keys] = shapes.count - 1
        return shapes.count - 1
    }

    /// The series with these values of a shape, or nil.
    func find(shape: Int, codes wanted: [UInt32], hash: UInt64) -> Int? {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let content = slots[slot]
            if content == 0 { return nil }
            if content &>> 32 == hash &>> 32 {
                let number = Int(truncatingIfNeeded: content & 0xFFFF_FFFF) - 1
                if isEqual(number, shape: shape, codes: wanted) { return number }
            }
            slot = (slot + 1) & mask
        }
    }

    /// Adds a series that is not there.
    func insert(shape: Int, codes new: [UInt32], hash: UInt64) -> Int {
        if (count + 1) * 4 > (mask + 1) * 3 { grow() }
        let number = count
        entries.append(Entry(shape: UInt32(shape), firstCode: UInt32(codes.count)))
        for code in new { codes.append(code) }
        hashes.append(hash)
        sketchWindows.append(.min)
        place(number, hash: hash)
        return number
    }

    /// Shows readers the series so far.
    func publish(into view: inout HeadTable.View) {
        if view.tagKeys.count != tagKeys.count { view.tagKeys = tagKeys }
        if view.shapes.count != shapes.count { view.shapes = shapes }
        view.valueCounts = tagKeys.map(\.values.count)
    }

    private func isEqual(_ number: Int, shape: Int, codes wanted: [UInt32]) -> Bool {
        let entry = entries[number]
        guard entry.shape == UInt32(shape) else { return false }
        for (index, code) in wanted.enumerated() where codes[Int(entry.firstCode) + index] != code { return false }
        return true
    }

    private func place(_ number: Int, hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt64(number + 1) | hash & 0xFFFF_FFFF_0000_0000
    }

    private func grow() {
        slots.deallocate()
        let capacity = (mask + 1) * 2
        mask = capacity - 1
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: 0, count: capacity)
        for number in 0..<count { place(number, hash: hashes[number]) }
    }
}
