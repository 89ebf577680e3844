import Bytes
import Telemetry

/// Lines of one stream on their way into a block, in the order of time.
///
/// A line that equals one of the same time (bytes and metadata) is taken once: a push that was repeated does no harm.
/// Only a chunk's lines are compared; lines of one time are parted between chunks only where they fill one alone.
public struct LineRows: ~Copyable {
    /// The longest line that a block takes, in bytes. Limits of tenants lie far below.
    public static let maximumLineBytes = 16 << 20
    /// A chunk ends when its lines reach this number of bytes.
    static let chunkBytes = 1 << 20
    /// Or this number of lines.
    static let chunkLines = 16 << 10

    /// The lines' bytes, each followed by a line feed, so that a token never reaches into the next.
    private(set) var bytes = ByteWriter(capacity: chunkBytes + (64 << 10))
    private(set) var lines: [TextRange] = []
    private(set) var times: [Int64] = []
    private(set) var levels: [LineLevel] = []
    private(set) var metadataBytes = ByteWriter()
    private(set) var metadata: [TextRange] = []
    private(set) var rawBytes = 0
    private(set) var hasMetadata = false
    /// Lines that were there already.
    private(set) var duplicates = 0
    /// Where the rows of the latest time begin, and hashes of these rows.
    private var runStart = 0
    private var runHashes: [UInt64] = []

    /// Nothing.
    public init() {}

    /// The number of lines taken.
    public var count: Int { times.count }

    /// Whether the chunk ends here, unless the next line has the same time.
    func isFull(before time: Int64) -> Bool {
        let isLarge = rawBytes >= Self.chunkBytes || count >= Self.chunkLines
        guard isLarge else { return false }
        if times.last != time { return true }
        return rawBytes >= 4 * Self.chunkBytes || count >= 4 * Self.chunkLines
    }

    /// Adds a line; its time is not before the last one's, and it has at most `maximumLineBytes`.
    ///
    /// - Parameter metadata: the set's bytes as `MetadataText` makes them; empty for none.
    mutating func append(
        time: Int64, level: LineLevel, line: UnsafeRawBufferPointer, metadata set: UnsafeRawBufferPointer
    ) {
        let hash = TextHash.hash(line) &+ (set.isEmpty ? 0 : TextHash.hash(set) &* 31)
        if times.last != time {
            runStart = count
            runHashes.removeAll(keepingCapacity: true)
        } else if isDuplicate(hash, line, set) {
            duplicates += 1
            return
        }
        runHashes.append(hash)
        let start = UInt32(bytes.count)
        bytes.write(contentsOf: line)
        lines.append(TextRange(start: start, end: UInt32(bytes.count)))
        bytes.write(UInt8(ascii: "\n"))
        times.append(time)
        levels.append(level)
        appendMetadata(set)
        rawBytes += line.count
    }

    private mutating func appendMetadata(_ set: UnsafeRawBufferPointer) {
        hasMetadata = hasMetadata || !set.isEmpty
        if let last = metadata.last,
            metadataBytes.withUnsafeBytes({ ByteSearch.areEqual(last.bytes(of: $0), set) })
        {
            metadata.append(last)
            return
        }
        let start = UInt32(metadataBytes.count)
        metadataBytes.write(contentsOf: set)
        metadata.append(TextRange(start: start, end: UInt32(metadataBytes.count)))
    }

    private func isDuplicate(_ hash: UInt64, _ line: UnsafeRawBufferPointer, _ set: UnsafeRawBufferPointer) -> Bool {
        for index in runHashes.indices where runHashes[index] == hash {
            let row = runStart + index
            let isEqual =
                bytes.withUnsafeBytes { ByteSearch.areEqual(lines[row].bytes(of: $0), line) }
                && metadataBytes.withUnsafeBytes { ByteSearch.areEqual(metadata[row].bytes(of: $0), set) }
            if isEqual { return true }
        }
        return false
    }

    mutating func removeAll() {
        bytes.removeAll(keepingAtMost: 8 << 20)
        metadataBytes.removeAll()
        lines.removeAll(keepingCapacity: true)
        times.removeAll(keepingCapacity: true)
        levels.removeAll(keepingCapacity: true)
        metadata.removeAll(keepingCapacity: true)
        runHashes.removeAll(keepingCapacity: true)
        (rawBytes, runStart, hasMetadata) = (0, 0, false)
    }
}
