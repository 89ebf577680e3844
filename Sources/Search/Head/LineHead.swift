import Columns
import Synchronization
import Telemetry

/// A line in the head.
struct HeadRow: BitwiseCopyable {
    /// Stands for no row.
    static let none = UInt32.max

    /// Nanoseconds since 1970.
    let time: Int64
    let line: ByteArena.Reference
    /// The number of the stream.
    let stream: UInt32
    /// The row before of the same stream, or `none`.
    let previous: UInt32
    /// The number of the set of structured metadata; 0 is the empty one.
    let metadata: UInt32
    private let levelValue: UInt8

    init(
        time: Int64, line: ByteArena.Reference, stream: UInt32, previous: UInt32, metadata: UInt32, level: LineLevel
    ) {
        self.time = time
        self.line = line
        self.stream = stream
        self.previous = previous
        self.metadata = metadata
        levelValue = level.rawValue
    }

    var level: LineLevel { LineLevel(rawValue: levelValue) ?? .unknown }
}

/// Where a stream's rows are: a chain that begins at the last one.
struct StreamTail: Sendable {
    var last = HeadRow.none
    var count: UInt32 = 0
    /// Whether the rows came in the order of their times.
    var isOrdered = true
    var minimum = Int64.max
    var maximum = Int64.min
}

/// From when to when rows that came together are.
struct RowSpan: BitwiseCopyable {
    /// So many rows make a span.
    static let rows = 4_096

    var minimum = Int64.max
    var maximum = Int64.min

    @inline(__always)
    mutating func add(_ time: Int64) {
        if time < minimum { minimum = time }
        if time > maximum { maximum = time }
    }
}

/// Rows that a deletion hides: those below a row.
struct HeadMask: Sendable {
    let deletion: Deletion
    let below: UInt32
}

/// The lines of one partition since a cut, in the order in which they came, uncompressed.
///
/// One thread applies (`LineHeadWriter`); what it wrote becomes visible when it publishes. Readers take a `View`.
final class LineHead: Sendable {
    /// All bytes: lines, keys, metadata.
    let arena: ByteArena
    let rows = AppendOnlyArray<HeadRow>()
    /// The times of each `RowSpan.rows` rows that are there in full.
    let spans = AppendOnlyArray<RowSpan>()
    /// The distinct sets of structured metadata as `MetadataText`; the first is the empty one.
    let sets: StringTable
    let published = Mutex(View())

    init() {
        arena = ByteArena()
        sets = StringTable(arena: arena)
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        _ = sets.insert(empty, hash: BytesHash.hash(empty))
    }

    /// What readers see: as of one moment, and unchanged whatever is applied later.
    struct View: Sendable {
        var rowCount = 0
        /// The times of the rows behind the last full span.
        var openSpan = RowSpan()
        /// The streams in the order in which they came.
        var streams: [StreamLabels] = []
        var tails: [StreamTail] = []
        var masks: [HeadMask] = []
        /// The names of structured metadata.
        var metadataNames = MetadataNames()
    }

    /// What is published now.
    func view() -> View { published.withLock { $0 } }

    /// A line's bytes, valid as long as the head is referenced.
    @inline(__always)
    func line(_ row: HeadRow) -> UnsafeRawBufferPointer { arena.bytes(row.line) }
}
