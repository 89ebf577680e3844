/// An entry of one of a segment's two indexes.
protocol IndexEntry: Sendable, Equatable {
    /// Bytes per entry in the file.
    static var encodedSize: Int { get }
    /// The first two bytes after the checksum of a page: what the file is, and the version of its format.
    static var signature: UInt16 { get }
    static var kind: SegmentName.Kind { get }

    init(from bytes: UnsafeRawBufferPointer, at position: Int)
    func store(into bytes: UnsafeMutableRawBufferPointer, at position: Int)
    /// Whether an entry may stand after `previous`.
    func mayFollow(_ previous: Self) -> Bool
}

/// A batch that begins at `position` holds `relativeOffset` (minus the segment's base offset) first.
struct OffsetEntry: IndexEntry {
    var relativeOffset: UInt32
    var position: UInt32

    static var encodedSize: Int { 8 }
    static var signature: UInt16 { 0x4F01 }
    static var kind: SegmentName.Kind { .index }

    init(relativeOffset: UInt32, position: UInt32) {
        self.relativeOffset = relativeOffset
        self.position = position
    }

    init(from bytes: UnsafeRawBufferPointer, at place: Int) {
        relativeOffset = bytes.bigEndian(place)
        position = bytes.bigEndian(place + 4)
    }

    func store(into bytes: UnsafeMutableRawBufferPointer, at place: Int) {
        bytes.storeBigEndian(relativeOffset, at: place)
        bytes.storeBigEndian(position, at: place + 4)
    }

    func mayFollow(_ previous: OffsetEntry) -> Bool {
        relativeOffset > previous.relativeOffset && position > previous.position
    }
}

/// Every record of the segment below `relativeOffset` has a timestamp of at most `timestamp`, and one has exactly that.
struct TimeEntry: IndexEntry {
    var timestamp: Int64
    var relativeOffset: UInt32

    static var encodedSize: Int { 12 }
    static var signature: UInt16 { 0x5401 }
    static var kind: SegmentName.Kind { .timeindex }

    init(timestamp: Int64, relativeOffset: UInt32) {
        self.timestamp = timestamp
        self.relativeOffset = relativeOffset
    }

    init(from bytes: UnsafeRawBufferPointer, at place: Int) {
        timestamp = bytes.bigEndian(place)
        relativeOffset = bytes.bigEndian(place + 8)
    }

    func store(into bytes: UnsafeMutableRawBufferPointer, at place: Int) {
        bytes.storeBigEndian(timestamp, at: place)
        bytes.storeBigEndian(relativeOffset, at: place + 8)
    }

    func mayFollow(_ previous: TimeEntry) -> Bool {
        timestamp > previous.timestamp && relativeOffset > previous.relativeOffset
    }
}
