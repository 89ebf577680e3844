/// The idempotent producers of a partition, bounded: beyond the bound the one that was idle longest goes first.
///
/// A dictionary into slots, which are linked from the one used last to the one that was idle longest.
struct ProducerTable: Sendable {
    private struct Slot: Sendable {
        var entry: ProducerEntry
        var lastUsedMilliseconds: Int64
        var newer: Int32
        var older: Int32
    }

    private var slots = ContiguousArray<Slot>()
    private var places: [Int64: Int32] = [:]
    private var newest: Int32 = -1
    private var oldest: Int32 = -1
    /// The most producers remembered.
    let limit: Int
    /// How many were forgotten because of `limit`.
    private(set) var evictions = 0

    init(limit: Int) {
        precondition(limit > 0)
        self.limit = limit
    }

    var count: Int { slots.count }

    /// The entry of a producer; looking at it is no use of it.
    subscript(producerID: Int64) -> ProducerEntry? {
        places[producerID].map { slots[Int($0)].entry }
    }

    /// Every entry, sorted by producer id.
    var entries: [ProducerEntry] {
        slots.map(\.entry).sorted { $0.producerID < $1.producerID }
    }

    /// Every entry, the one that was idle longest first.
    var entriesOldestFirst: [ProducerEntry] {
        var result: [ProducerEntry] = []
        result.reserveCapacity(count)
        var place = oldest
        while place >= 0 {
            result.append(slots[Int(place)].entry)
            place = slots[Int(place)].newer
        }
        return result
    }

    /// Notes an appended batch. `now` comes from a clock that does not jump.
    mutating func record(_ batch: BatchFacts, baseOffset: Int64, now: Int64) {
        let remembered = ProducerBatch(
            firstSequence: batch.baseSequence, lastSequence: batch.lastSequence, baseOffset: baseOffset,
            endOffset: baseOffset + Int64(batch.lastOffsetDelta) + 1, timestamp: batch.maxTimestamp)
        let place = use(batch.producerID, epoch: batch.producerEpoch, now: now)
        slots[place].entry.record(remembered, epoch: batch.producerEpoch, lastTimestamp: batch.maxTimestamp)
    }

    /// Puts back an entry from a snapshot; later ones count as used later.
    mutating func restore(_ entry: ProducerEntry, now: Int64) {
        let place = use(entry.producerID, epoch: entry.epoch, now: now)
        slots[place].entry = entry
    }

    /// Forgets whom nobody has heard of since `deadline`.
    mutating func removeIdle(since deadline: Int64) {
        while oldest >= 0, slots[Int(oldest)].lastUsedMilliseconds < deadline { remove(Int(oldest)) }
    }

    /// Forgets the one that was idle longest, if there is one.
    mutating func removeOldest() {
        if oldest >= 0 { remove(Int(oldest)) }
    }

    /// Adds when each was used last.
    func appendUses(to uses: inout [Int64]) {
        for slot in slots { uses.append(slot.lastUsedMilliseconds) }
    }

    /// Finds or makes the slot of a producer, and makes it the newest.
    private mutating func use(_ producerID: Int64, epoch: Int16, now: Int64) -> Int {
        if let place = places[producerID] {
            slots[Int(place)].lastUsedMilliseconds = now
            if place != newest {
                unlink(Int(place))
                linkAsNewest(Int(place))
            }
            return Int(place)
        }
        if slots.count >= limit {
            remove(Int(oldest))
            evictions += 1
        }
        let entry = ProducerEntry(producerID: producerID, epoch: epoch)
        slots.append(Slot(entry: entry, lastUsedMilliseconds: now, newer: -1, older: -1))
        places[producerID] = Int32(slots.count - 1)
        linkAsNewest(slots.count - 1)
        return slots.count - 1
    }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (slots[place].newer, slots[place].older)
        if newer >= 0 { slots[Int(newer)].older = older } else { newest = older }
        if older >= 0 { slots[Int(older)].newer = newer } else { oldest = newer }
    }

    private mutating func linkAsNewest(_ place: Int) {
        slots[place].newer = -1
        slots[place].older = newest
        if newest >= 0 { slots[Int(newest)].newer = Int32(place) } else { oldest = Int32(place) }
        newest = Int32(place)
    }

    /// Removes a slot; the last slot moves into its place.
    private mutating func remove(_ place: Int) {
        unlink(place)
        places[slots[place].entry.producerID] = nil
        let last = slots.count - 1
        if place != last {
            slots[place] = slots[last]
            places[slots[place].entry.producerID] = Int32(place)
            let (newer, older) = (slots[place].newer, slots[place].older)
            if newer >= 0 { slots[Int(newer)].older = Int32(place) } else { newest = Int32(place) }
            if older >= 0 { slots[Int(older)].newer = Int32(place) } else { oldest = Int32(place) }
        }
        slots.removeLast()
    }
}
