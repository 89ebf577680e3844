/// One version of what a view of one partition consists of. Versions form a chain: each names its number, and is
/// created only if no other has it.
public struct Manifest: Sendable, Equatable {
    /// The number of this version; the first is 1.
    public var version: Int64
    /// The first offset of the log that no block covers: where a replay begins.
    public var nextOffset: Int64
    /// The blocks, in the order in which the engine named them.
    public var blocks: [BlockEntry]
    /// What else the engine knows as of `nextOffset`: schema, tombstones, sketches. Its own format; at most 64 MiB.
    public var state: [UInt8]
    /// The id for the next block's file; ids are never used twice.
    public var nextBlockID: UInt64

    /// Assembles a manifest.
    public init(version: Int64, nextOffset: Int64, blocks: [BlockEntry], state: [UInt8], nextBlockID: UInt64) {
        self.version = version
        self.nextOffset = nextOffset
        self.blocks = blocks
        self.state = state
        self.nextBlockID = nextBlockID
    }
}

/// A block as a manifest names it.
public struct BlockEntry: Sendable, Equatable {
    /// The id, which names the file.
    public let id: UInt64
    /// The file's size in bytes.
    public let sizeBytes: Int64
    /// The CRC32C of the whole file.
    public let checksum: UInt32
    /// What the engine wants to know of the block without opening it. Its own format.
    public let details: [UInt8]

    /// Assembles an entry.
    public init(id: UInt64, sizeBytes: Int64, checksum: UInt32, details: [UInt8]) {
        self.id = id
        self.sizeBytes = sizeBytes
        self.checksum = checksum
        self.details = details
    }
}

/// The difference between a manifest and the next one.
public struct ManifestChange: Sendable, Equatable {
    /// The ids of blocks that are no longer part of the view.
    public var removed: Set<UInt64>
    /// Blocks that are new, and synced.
    public var added: [BlockEntry]
    /// The engine's state as of the frozen head's `nextOffset`; nil leaves the manifest's (a compaction that changes
    /// nothing of it).
    public var state: [UInt8]?

    /// Assembles a change.
    public init(removed: Set<UInt64> = [], added: [BlockEntry] = [], state: [UInt8]? = nil) {
        self.removed = removed
        self.added = added
        self.state = state
    }
}
