import Machine
import Synchronization

extension SyncTarget {
    /// Copies the batches between `plainStart` and `end` from the page cache.
    ///
    /// - Throws: if they cannot be read, or do not verify: if the kernel failed to write pages back and dropped them,
    ///   a read finds what the disk holds. A sync of the file tells of it; the journal must not promise such bytes.
    func copyPlain(into buffer: UnsafeMutableRawBufferPointer) throws(MachineError) {
        guard let start = plainStart, let unsynced = files.first else { return }
        let count = try unsynced.file.read(into: buffer, at: start.position)
        guard count == buffer.count, Self.isSound(UnsafeRawBufferPointer(buffer), from: start.offset, to: end.offset)
        else {
            throw MachineError(code: .device, operation: "read back", path: unsynced.file.path)
        }
    }

    /// Whether the bytes are whole batches that verify and hold the offsets of a range.
    static func isSound(_ bytes: UnsafeRawBufferPointer, from start: Int64, to end: Int64) -> Bool {
        var (position, offset) = (0, start)
        var fault = ""
        while position < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            guard let facts = BatchFacts(header: rest, fault: &fault), facts.sizeBytes <= rest.count,
                facts.baseOffset == offset
            else { return false }
            let checked = UnsafeRawBufferPointer(rebasing: rest[BatchFacts.checkedFrom..<facts.sizeBytes])
            guard Checksum.of(checked) == BatchFacts.checksum(inHeader: rest) else { return false }
            position += facts.sizeBytes
            offset = facts.endOffset
        }
        return offset == end
    }
}

extension Partition {
    /// Writes bytes that the journal holds where they belong, after a failed sync: the page cache may show something
    /// else by now. Nothing beyond the high watermark is written.
    func restore(_ entry: JournalEntry, _ bytes: UnsafeRawBufferPointer) {
        core.withLock { core in
            guard core.phase == .open, entry.segmentBase <= core.synced.segmentBase,
                let segment = core.segments.first(where: { $0.baseOffset == entry.segmentBase })
            else { return }
            let limit =
                entry.segmentBase == core.synced.segmentBase ? core.synced.position : JournalFormat.maximumPosition
            guard entry.position + Int64(bytes.count) <= limit else { return }
            do {
                try segment.file().write(bytes, at: entry.position)
            } catch {
                fence(
                    &core,
                    LogError(.fenced, "\(label): what a sync lost could not be written again; restart", cause: error))
            }
        }
    }
}
