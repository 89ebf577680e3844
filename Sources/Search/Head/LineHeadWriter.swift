import Columns
import Synchronization
import Telemetry

/// The head as the applying thread has it. Nothing is allocated per line but the memory that it takes.
final class LineHeadWriter {
    let head = LineHead()
    private(set) var streams: [HeadStream] = []
    /// Streams by their labels' canonical text.
    private let texts: StringTable
    /// Streams by the keys of records as they were written: the short way.
    private let keys: StringTable
    private let keyStreams = AppendOnlyArray<UInt32>()
    private var tails: [StreamTail] = []
    /// The streams with rows that are not published yet.
    private var changed: [UInt32] = []
    private var isChanged: [Bool] = []
    private var masks: [HeadMask] = []
    private var span = RowSpan()
    private var rows = RowTable()
    private var streamBytes = 0

    init() {
        texts = StringTable(arena: head.arena)
        keys = StringTable(arena: head.arena)
        metadata = HeadMetadata(head.sets, arena: head.arena)
    }

    /// The sets of structured metadata.
    let metadata: HeadMetadata

    /// The memory that the head takes, in bytes.
    var usedBytes: Int {
        head.arena.usedBytes + head.rows.usedBytes + rows.usedBytes + texts.usedBytes + keys.usedBytes
            + keyStreams.usedBytes + metadata.usedBytes + streamBytes
    }

    /// The stream of a record's key as it was written before, or nil.
    @inline(__always)
    func stream(key: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        keys.find(key, hash: hash).map { Int(keyStreams[$0]) }
    }

    /// Remembers that a key means a stream.
    func remember(key: UnsafeRawBufferPointer, hash: UInt64, stream: Int) {
        _ = keys.insert(key, hash: hash)
        keyStreams.append(UInt32(stream))
    }

    /// The stream of these labels, or nil.
    func stream(text: UnsafeRawBufferPointer, hash: UInt64) -> Int? { texts.find(text, hash: hash) }

    /// Adds a stream that is not there.
    func addStream(_ labels: StreamLabels, text: UnsafeRawBufferPointer, hash: UInt64) -> Int {
        let number = texts.insert(text, hash: hash)
        streams.append(
            HeadStream(labels: labels, level: LevelDetection.level(ofStream: labels.labels), hash: hash))
        tails.append(StreamTail())
        isChanged.append(false)
        // The labels' strings and their array, the tail here and as published.
        streamBytes += labels.labels.count * 32 + text.count + 224
        return number
    }

    /// Notes when a stream was last found to be within the bounds.
    func admit(_ stream: Int, epoch: Int64) { streams[stream].admitted = epoch }

    /// Adds a line, unless the same one (stream, time, bytes, metadata) is there and no deletion hides it.
    ///
    /// - Parameter level: gives the level; asked only for a line that is added.
    @inline(__always)
    func append(
        stream: Int, time: Int64, line: UnsafeRawBufferPointer, metadata: UInt32, level: () -> LineLevel
    ) {
        let seed =
            UInt64(bitPattern: time) &* 0x9E37_79B9_7F4A_7C15
            ^ UInt64(truncatingIfNeeded: stream) &<< 32 ^ UInt64(metadata)
        let tag = UInt32(truncatingIfNeeded: BytesHash.hash(line, seed: seed) &>> 32)
        var slot = rows.firstSlot(tag)
        while let found = rows.row(slot) {
            if rows.tag(slot) == tag, isEqual(head.rows[Int(found)], stream, time, line, metadata) {
                guard isHidden(found) else { return }
                break
            }
            slot = rows.next(slot)
        }
        let number = UInt32(truncatingIfNeeded: head.rows.count)
        precondition(number < HeadRow.none, "4 billion lines in a head")
        head.rows.append(
            HeadRow(
                time: time, line: head.arena.append(line), stream: UInt32(truncatingIfNeeded: stream),
                previous: tails[stream].last, metadata: metadata, level: level()))
        tails[stream].add(row: number, time: time)
        span.add(time)
        if head.rows.count % RowSpan.rows == 0 {
            head.spans.append(span)
            span = RowSpan()
        }
        if !isChanged[stream] {
            isChanged[stream] = true
            changed.append(UInt32(truncatingIfNeeded: stream))
        }
        rows.set(slot, row: number, tag: tag)
    }

    @inline(__always)
    private func isEqual(
        _ row: HeadRow, _ stream: Int, _ time: Int64, _ line: UnsafeRawBufferPointer, _ metadata: UInt32
    ) -> Bool {
        row.time == time && row.stream == UInt32(truncatingIfNeeded: stream) && row.metadata == metadata
            && equalBytes(head.line(row), line)
    }

    private func isHidden(_ number: UInt32) -> Bool {
        guard !masks.isEmpty else { return false }
        let row = head.rows[Int(number)]
        let labels = streams[Int(row.stream)].labels
        return masks.contains {
            number < $0.below && $0.deletion.matches(labels)
                && $0.deletion.lines.hides(time: row.time, line: head.line(row))
        }
    }

    /// Hides the rows so far that a deletion names.
    func mask(_ deletion: Deletion) { masks.append(HeadMask(deletion: deletion, below: UInt32(head.rows.count))) }

    /// Shows readers what was applied.
    func publish() {
        head.published.withLock { view in
            view.rowCount = head.rows.count
            view.openSpan = span
            if view.metadataNames.names?.count != metadata.names.names?.count { view.metadataNames = metadata.names }
            if view.masks.count != masks.count { view.masks = masks }
            for stream in view.streams.count..<streams.count {
                view.streams.append(streams[stream].labels)
                view.tails.append(StreamTail())
            }
            for stream in changed { view.tails[Int(stream)] = tails[Int(stream)] }
        }
        for stream in changed { isChanged[Int(stream)] = false }
        changed.removeAll(keepingCapacity: true)
    }
}

/// A stream as the applying thread has it.
struct HeadStream {
    let labels: StreamLabels
    /// What the labels tell of the level.
    let level: LineLevel?
    /// The hash of the canonical text.
    let hash: UInt64
    /// The epoch in which the stream was last found to be within the bounds.
    var admitted: Int64 = -1
}

extension StreamTail {
    @inline(__always)
    mutating func add(row: UInt32, time: Int64) {
        if time < maximum { isOrdered = false }
        if time < minimum { minimum = time }
        if time > maximum { maximum = time }
        last = row
        count &+= 1
    }
}

/// Rows by a hash of what they hold, by open addressing. A slot is the hash and the row's number + 1; 0 if empty. The
/// place follows from the 32 bits of the hash that are kept, so that growing reads no line.
private struct RowTable: ~Copyable {
    private var slots: UnsafeMutablePointer<UInt64>
    private var mask = 255
    private var count = 0

    init() {
        slots = .allocate(capacity: 256)
        slots.initialize(repeating: 0, count: 256)
    }

    deinit { slots.deallocate() }

    var usedBytes: Int { (mask + 1) * 8 }

    @inline(__always)
    func firstSlot(_ tag: UInt32) -> Int { Int(tag) & mask }

    @inline(__always)
    func next(_ slot: Int) -> Int { (slot &+ 1) & mask }

    @inline(__always)
    func row(_ slot: Int) -> UInt32? {
        let content = UInt32(truncatingIfNeeded: slots[slot])
        return content == 0 ? nil : content &- 1
    }

    @inline(__always)
    func tag(_ slot: Int) -> UInt32 { UInt32(truncatingIfNeeded: slots[slot] &>> 32) }

    @inline(__always)
    mutating func set(_ slot: Int, row: UInt32, tag: UInt32) {
        let isNew = slots[slot] == 0
        slots[slot] = UInt64(tag) &<< 32 | UInt64(row &+ 1)
        guard isNew else { return }
        count &+= 1
        // Full to three quarters at most.
        if count &* 4 > (mask &+ 1) &* 3 { grow() }
    }

    @inline(never)
    private mutating func grow() {
        let (old, oldMask) = (slots, mask)
        mask = mask * 2 + 1
        slots = .allocate(capacity: mask + 1)
        slots.initialize(repeating: 0, count: mask + 1)
        for place in 0...oldMask where old[place] != 0 {
            var slot = Int(old[place] &>> 32) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = old[place]
        }
        old.deallocate()
    }
}
