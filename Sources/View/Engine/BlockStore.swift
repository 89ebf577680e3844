public import Machine

/// Where the blocks of one partition's view are: immutable files, created only if absent. A directory now; an object
/// store later.
public protocol BlockStore: Sendable {
    /// Creates a block from its bytes, which arrive in pieces, and syncs it (the file and its directory).
    ///
    /// - Parameter produce: called once with a sink for the bytes, in order; returns what the manifest's entry is to
    ///   carry (`BlockEntry.details`), which is known only when all was written.
    /// - Throws: `ViewError` `.noSpace`, `.storage`, or what `produce` threw; nothing is left then.
    func create(
        _ produce: (_ sink: (UnsafeRawBufferPointer) throws(ViewError) -> Void) throws(ViewError) -> [UInt8]
    ) throws(ViewError) -> BlockEntry

    /// A block's bytes, mapped. The map stays valid as long as it is referenced, even after the block was removed.
    ///
    /// - Throws: `.damaged` if the file is missing or has another size; `.storage`.
    func map(_ entry: BlockEntry) throws(ViewError) -> any MemoryMap
}
