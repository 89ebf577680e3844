import Machine

extension Partition {
    /// Offsets per segment: relative offsets are stored in 32 bits.
    private static let maximumOffsetsPerSegment = Int64(Int32.max)

    /// The segment that takes the next append: the growing one, or a new one if that is full or old.
    func segmentForAppend(
        _ core: inout PartitionCore, recordCount: Int64, byteCount: Int, wall: Int64
    ) throws(LogError) -> Segment {
        guard let active = core.active else { return try addSegment(&core) }
        let isFull = !hasRoom(active, core, recordCount: recordCount, byteCount: byteCount)
        let isOld =
            core.firstAppendMilliseconds >= 0
            && wall - core.firstAppendMilliseconds > configuration.segmentMilliseconds
        guard core.position > 0, isFull || isOld else { return active }
        return try roll(&core)
    }

    /// Whether the growing segment can take this much more.
    func hasRoom(
        _ active: Segment, _ core: borrowing PartitionCore, recordCount: Int64, byteCount: Int
    ) -> Bool {
        core.position + Int64(byteCount) <= configuration.segmentBytes
            && core.state.logEndOffset + recordCount - active.baseOffset <= Self.maximumOffsetsPerSegment
    }

    /// Seals the growing segment and begins the next one. The indexes are stored first, so that a process that dies here
    /// leaves no sealed segment without them.
    @discardableResult
    func roll(_ core: inout PartitionCore) throws(LogError) -> Segment {
        guard let sealed = core.active else { return try addSegment(&core) }
        var builder = core.builder
        let position = core.position
        builder.finish(endOffset: core.state.logEndOffset)
        sealed.sizeBytes = position
        sealed.store(builder, endOffset: core.state.logEndOffset)
        let next = try addSegment(&core)
        sealed.noteMaxTimestamp(builder.maxTimestamp)
        releaseReservation(of: sealed, at: position)
        return next
    }

    /// Adds an empty segment at the log's end.
    private func addSegment(_ core: inout PartitionCore) throws(LogError) -> Segment {
        let baseOffset = core.state.logEndOffset
        let segment = Segment(
            baseOffset: baseOffset, sizeBytes: 0, directory: directory, context: context.segments)
        do {
            if core.segments.isEmpty {
                try context.files.createDirectory(directory)
                try TopicDirectory.identify(
                    String(directory.dropLast(String(index).utf8.count + 1)), topicID, context.files)
                noteUnsyncedDirectories(&core)
            }
            let file = try segment.create()
            core.noteUnsynced(segment, file)
        } catch {
            throw LogError(
                error.code == .noSpace ? .noSpace : .storage, "\(label): cannot create \(segment.path(.log))",
                cause: error)
        }
        noteUnsyncedDirectory(directory, &core)
        core.segments.append(segment)
        core.builder = IndexBuilder(baseOffset: baseOffset, intervalBytes: Int(configuration.indexIntervalBytes))
        core.position = 0
        core.preallocatedBytes = 0
        core.firstAppendMilliseconds = -1
        core.storedIndexEntries = 0
        return segment
    }

    /// The directories up to the log's own have entries that no sync has covered yet.
    func noteUnsyncedDirectories(_ core: inout PartitionCore) {
        var path = Substring(directory)
        for _ in 0..<3 {
            noteUnsyncedDirectory(String(path), &core)
            guard let slash = path.lastIndex(of: "/") else { break }
            path = path[..<slash]
        }
    }

    private func noteUnsyncedDirectory(_ path: String, _ core: inout PartitionCore) {
        if !core.unsyncedDirectories.contains(path) { core.unsyncedDirectories.append(path) }
    }

    /// Gives back what was reserved beyond the segment's end. Failing costs space, nothing else.
    func releaseReservation(of segment: Segment, at position: Int64) {
        do {
            try segment.file().truncate(to: position)
        } catch {
            report(.warning, "cannot release space after \(segment.path(.log)): \(error)")
        }
    }
}
