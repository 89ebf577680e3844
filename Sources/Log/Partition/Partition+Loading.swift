import Machine

extension Partition {
    /// Opens the partition's files, if that has not happened yet.
    func open(_ core: inout PartitionCore) throws(LogError) {
        switch core.phase {
        case .open: return
        case .cold: try load(&core)
        case .closed: throw LogError(.closed, "\(label): the log is closed")
        case .deleted: throw LogError(.unknownTopic, "\(label) was deleted")
        }
    }

    /// Opens the partition now, as an unclean start needs it. What fails is told, and tried again by the next use.
    func recover() {
        withCore { core in
            guard core.phase == .cold else { return }
            do throws(LogError) {
                try load(&core)
            } catch {
                report(.error, error.description)
            }
        }
    }

    private func load(_ core: inout PartitionCore) throws(LogError) {
        core.coldBytes = nil
        var loader = try PartitionLoader(
            label: label, directory: directory, intervalBytes: Int(configuration.indexIntervalBytes),
            checkpoint: checkpoint, isKnown: isKnown, context: context)
        var rewritten: [PartitionCore.Unsynced] = []
        do throws(LogError) {
            try loader.load()
            if loader.needsSync, loader.damage == nil { rewritten = try rewriteTail(of: loader) }
        } catch {
            // The next use tries again, with segments of its own. Nothing below may fail: a partition that is half
            // open would never sync what it found.
            for segment in loader.listing.segments { segment.forgetFiles() }
            throw error
        }
        adopt(loader, rewritten: rewritten, &core)
    }

    /// Takes over what was loaded.
    private func adopt(
        _ loader: PartitionLoader, rewritten: [PartitionCore.Unsynced], _ core: inout PartitionCore
    ) {
        var state = loader.state
        if isUnclean { state.beginEpoch((state.epochs.starts.last?.epoch ?? -1) + 1) }
        core.state = state
        core.segments = loader.listing.segments
        core.builder = loader.builder
        core.position = core.segments.isEmpty ? 0 : loader.end.position
        core.preallocatedBytes = core.position
        core.synced = loader.needsSync && loader.damage == nil ? loader.resume : loader.end
        core.recovered = loader.end
        core.bytesSinceSnapshot = loader.replayedBytes
        core.firstAppendMilliseconds = core.position > 0 ? firstTimestamp(core) : -1
        core.isChanged = true
        core.phase = .open
        core.isLoaded = true
        for finding in loader.findings { report(.warning, "\(label): \(finding)") }
        if let damage = loader.damage {
            fence(&core, damage)
        } else if loader.needsSync {
            noteRecovered(rewritten, &core)
        }
    }

    /// Writes what was found beyond the recovery point once more, where it is.
    ///
    /// If a sync failed before the last process ended, the kernel holds pages that are not on the disk and counts them
    /// as clean: they verify, but no sync writes them, and a power cut takes them. Writing makes them dirty again.
    ///
    /// - Returns: the files, which are to be synced.
    private func rewriteTail(of loader: PartitionLoader) throws(LogError) -> [PartitionCore.Unsynced] {
        let known = loader.resume
        var rewritten: [PartitionCore.Unsynced] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
        defer { buffer.deallocate() }
        for segment in loader.listing.segments where segment.baseOffset >= known.segmentBase {
            let file = try segment.file()
            rewritten.append(PartitionCore.Unsynced(segment: segment, file: file))
            var position = segment.baseOffset == known.segmentBase ? known.position : 0
            let end = segment.baseOffset == loader.end.segmentBase ? loader.end.position : segment.sizeBytes
            do {
                while position < end {
                    let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(1 << 20, end - position))])
                    let count = try file.read(into: wanted, at: position)
                    guard count > 0 else { break }
                    try file.write(UnsafeRawBufferPointer(rebasing: wanted[..<count]), at: position)
                    position += Int64(count)
                }
            } catch {
                throw LogError(.storage, "\(label): cannot rewrite \(segment.path(.log)) at \(position)", cause: error)
            }
        }
        return rewritten
    }

    /// What was found beyond the recovery point becomes readable once it is synced.
    private func noteRecovered(_ rewritten: [PartitionCore.Unsynced], _ core: inout PartitionCore) {
        for unsynced in rewritten { core.noteUnsynced(unsynced.segment, unsynced.file) }
        noteUnsyncedDirectories(&core)
        if core.queued.insert(.lazy).inserted { context.commits.addLazy(self, within: 0) }
    }

    /// About when the growing segment got its first batch: what that batch says, if it is not in the future.
    private func firstTimestamp(_ core: PartitionCore) -> Int64 {
        let now = context.machine.clock.wallMilliseconds()
        guard let file = try? core.active?.file() else { return now }
        var scanner = BatchScanner(file, from: 0, to: core.position)
        guard case .batch(let facts, _) = try? scanner.next(), facts.maxTimestamp >= 0 else { return now }
        return min(facts.maxTimestamp, now)
    }
}
