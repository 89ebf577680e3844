import Machine

extension Partition {
    /// The first reservation of a segment's file, in bytes; each next one doubles, up to `maximumPreallocationBytes`.
    static let minimumPreallocationBytes: Int64 = 64 << 10
    /// The largest reservation ahead, in bytes: writes into reserved space sync in 113 µs instead of 142.
    static let maximumPreallocationBytes: Int64 = 16 << 20

    /// Appends one or several batches, all or none, in one write.
    ///
    /// Base offsets and the leader epoch are patched into `bytes`, which the caller may reuse afterwards.
    ///
    /// - Throws: `.corruptBatch`, `.invalidRecord`, `.messageTooLarge`, `.unsupportedFormat`,
    ///   `.unsupportedCompression`, `.invalidTimestamp`, `.outOfOrderSequence`, `.invalidProducerEpoch`,
    ///   `.invalidTransactionState` for what the producer did wrong; `.noSpace`, `.fenced`, `.damaged`, `.overloaded`,
    ///   `.closed`, `.storage`, `.unknownTopic` (deleted). After an error nothing of it becomes visible.
    public func append(
        _ bytes: UnsafeMutableRawBufferPointer, durability: Durability
    ) throws(LogError) -> AppendResult {
        let wall = context.machine.clock.wallMilliseconds()
        let batches = try BatchAdmission(bytes, topic: configuration, wallMilliseconds: wall)
        let now = context.monotonicMilliseconds()
        let (result, isListed) = try withCore { core throws(LogError) in
            try openForAppend(&core)
            if durability == .now, core.waiters.syncCount >= context.settings.maximumSyncWaitersPerPartition {
                throw LogError(.overloaded, "\(label): \(core.waiters.syncCount) requests already wait for a sync")
            }
            let result = try append(bytes, batches, to: &core, wall: wall, now: now)
            guard core.synced.offset < result.endOffset else { return (result, nil as Bool?) }
            if durability == .now { return (result, !core.queued.insert(.urgent).inserted) }
            return (result, !core.queued.isEmpty || !core.queued.insert(.lazy).inserted)
        }
        guard let isListed else { return result }
        if durability == .now {
            context.commits.addUrgent(self, isNew: !isListed)
        } else if !isListed {
            context.commits.addLazy(self, within: configuration.flushMilliseconds)
        }
        if !result.isDuplicate { statistics.noteAppend(batches, bytes: bytes.count) }
        return result
    }

    private func openForAppend(_ core: inout PartitionCore) throws(LogError) {
        try open(&core)
        if let fence = core.fence { throw fence }
    }

    private func append(
        _ bytes: UnsafeMutableRawBufferPointer, _ batches: BatchAdmission, to core: inout PartitionCore, wall: Int64,
        now: Int64
    ) throws(LogError) -> AppendResult {
        if batches.batchCount == 1, case .duplicate(let original) = try core.state.admit(batches.first) {
            return AppendResult(
                baseOffset: original.baseOffset, endOffset: original.endOffset,
                logAppendTime: configuration.logAppendTime ? original.timestamp : -1,
                logStartOffset: core.state.logStartOffset, isDuplicate: true)
        }
        let segment = try segmentForAppend(&core, batches, byteCount: bytes.count, wall: wall)
        let baseOffset = core.state.logEndOffset
        patch(bytes, from: baseOffset, epoch: core.state.leaderEpoch)
        let file = try write(UnsafeRawBufferPointer(bytes), to: segment, &core)
        core.noteUnsynced(segment, file)
        note(UnsafeRawBufferPointer(bytes), batches, in: &core, now: now)
        if core.firstAppendMilliseconds < 0 { core.firstAppendMilliseconds = wall }
        core.position += Int64(bytes.count)
        core.bytesSinceSnapshot += Int64(bytes.count)
        core.isChanged = true
        return AppendResult(
            baseOffset: baseOffset, endOffset: core.state.logEndOffset, logAppendTime: batches.logAppendTime,
            logStartOffset: core.state.logStartOffset, isDuplicate: false)
    }

    /// Sets offsets and epoch in each batch. They stand before what the checksum covers.
    private func patch(_ bytes: UnsafeMutableRawBufferPointer, from baseOffset: Int64, epoch: Int32) {
        var position = 0
        var offset = baseOffset
        while position < bytes.count {
            bytes.storeBigEndian(offset, at: position)
            bytes.storeBigEndian(epoch, at: position + 12)
            let header = UnsafeRawBufferPointer(bytes)
            offset += Int64(header.bigEndian(position + 23, as: Int32.self)) + 1
            position += Int(header.bigEndian(position + 8, as: Int32.self)) + BatchFacts.prefixBytes
        }
    }

    /// Gives the state and the indexes what was written.
    private func note(
        _ bytes: UnsafeRawBufferPointer, _ batches: BatchAdmission, in core: inout PartitionCore, now: Int64
    ) {
        var position = 0
        var facts = batches.first
        while true {
            let offset = core.state.append(facts, now: now)
            core.builder.add(
                offset: offset, sizeBytes: facts.sizeBytes, maxTimestamp: facts.maxTimestamp,
                position: core.position + Int64(position))
            position += facts.sizeBytes
            guard position < bytes.count else { return }
            var fault = ""
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            guard let next = BatchFacts(header: rest, fault: &fault) else {
                preconditionFailure("admitted batches have sound headers")
            }
            facts = next
        }
    }

    /// Writes at the log's end. After an error the file is cut back, so that nothing of the bytes is ever found again;
    /// if that fails too, or the device is broken, the partition is fenced.
    private func write(
        _ bytes: UnsafeRawBufferPointer, to segment: Segment, _ core: inout PartitionCore
    ) throws(LogError) -> any File {
        let file = try segment.file()
        let end = core.position + Int64(bytes.count)
        if end > core.preallocatedBytes { preallocate(file, for: end, &core) }
        do {
            try file.write(bytes, at: core.position)
            return file
        } catch {
            core.preallocatedBytes = core.position
            core.noteUnsynced(segment, file)
            let failure = LogError(
                error.code == .noSpace ? .noSpace : .storage, "\(label): cannot append at \(core.position)",
                cause: error)
            do {
                try file.truncate(to: core.position)
            } catch {
                fence(&core, LogError(.fenced, "\(label): a failed write could not be undone", cause: error))
            }
            if error.code == .device {
                fence(&core, LogError(.fenced, "\(label): the device failed", cause: error))
            }
            throw failure
        }
    }

    private func preallocate(_ file: any File, for end: Int64, _ core: inout PartitionCore) {
        let ahead = min(max(core.preallocatedBytes, Self.minimumPreallocationBytes), Self.maximumPreallocationBytes)
        core.preallocatedBytes = max(core.preallocatedBytes + ahead, end)
        file.preallocate(to: core.preallocatedBytes)
    }
}
