/// What a view does with the records of one partition: the part that differs between series and lines. The runner
/// does the rest, alike for all: reading the log, cuts, manifests, the hold, waiting, rebuilding.
///
/// An engine keeps no offset of its own on the disk: what it knows is a function of its manifest and of the records
/// from the manifest's `nextOffset` on. Applying depends on nothing but the order of the log (no clock, no
/// randomness), so that a replay gives what the first run gave.
///
/// Threads: `apply`, `freeze` and `install` come from one thread at a time. `write` and `compact` come from one
/// background thread at a time, beside them. Readers of the engine come from any thread.
public protocol ViewEngine: AnyObject, Sendable {
    /// Applies the records of one batch in order. What cannot be applied, in whole or in part, is told and not fed.
    ///
    /// - Returns: what was refused; empty if everything was applied.
    func apply(_ records: borrowing ViewRecords) -> [Rejection]

    /// The memory that the head (what was applied since the last freeze) takes, in bytes.
    var headBytes: Int { get }

    /// Ends the head: what was applied so far is one frozen head, and a new one begins. Readers see both. At most one
    /// frozen head exists at a time.
    ///
    /// - Parameter nextOffset: the offset of the first record that is not in it.
    func freeze(nextOffset: Int64)

    /// Writes the frozen head into blocks, which are synced when it returns, and returns what the next manifest is
    /// to say. It commits nothing: a crash leaves files without an owner, which the runner removes.
    ///
    /// - Throws: `ViewError`; the runner tries again later.
    func write(to blocks: any BlockStore) throws(ViewError) -> ManifestChange

    /// One piece of compaction, retention or physical deletion that is worth doing now, done: the blocks that it
    /// replaces and the ones that take their place. Nil if there is none.
    ///
    /// - Parameter nowMilliseconds: wall time, for what has expired.
    func compact(to blocks: any BlockStore, nowMilliseconds: Int64) throws(ViewError) -> ManifestChange?

    /// A manifest was committed (or loaded, at the start): readers see its blocks from now on, atomically instead of
    /// the frozen head or of the blocks that they replace. The first call comes before the first `apply`.
    ///
    /// A view that is rebuilt begins with a manifest whose blocks hold records that are applied again: equal ones must
    /// not be seen twice.
    ///
    /// The frozen head goes only if the manifest's `nextOffset` is not before the one that it was frozen with: a
    /// compaction that began earlier may be committed while a frozen head waits to be written.
    ///
    /// A block that is missing or does not verify is noted in `damagedBlocks`, and the others serve: readers that need
    /// it fail, and compaction leaves it alone. An engine that throws instead keeps its view from opening.
    func install(_ manifest: Manifest, from blocks: any BlockStore) throws(ViewError)

    /// The manifest's blocks that are missing or were found damaged, by id, with the reason. Default: none.
    var damagedBlocks: [UInt64: String] { get }
}

extension ViewEngine {
    /// None: for engines that do not open with damaged blocks.
    public var damagedBlocks: [UInt64: String] { [:] }
}

/// Something of a record that the view refused, for whoever waits for it and for `rejected.<topic>`.
public struct Rejection: Sendable, Equatable {
    /// The record's offset.
    public let offset: Int64
    /// The part's place within the record's value: its first byte.
    public let position: Int
    /// The part itself, as it came (a line), cut off at 1 KiB.
    public let content: [UInt8]
    /// Why, in the words of the protocol that people know (InfluxDB's for points).
    public let reason: String
    /// How many points the part held.
    public let count: Int

    /// Assembles a rejection.
    public init(offset: Int64, position: Int, content: [UInt8], reason: String, count: Int = 1) {
        self.offset = offset
        self.position = position
        self.content = content
        self.reason = reason
        self.count = count
    }
}
