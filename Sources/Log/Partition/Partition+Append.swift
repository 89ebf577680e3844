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
    /// - Parameter note: called with the records' offsets, under the partition's lock: before anybody can read them, so
    ///   that nobody meets one of which the caller does not know yet. Not for a repetition.
    /// - Throws: `.corruptBatch`, `.invalidRecord`, `.messageTooLarge`, `.unsupportedFormat`,
    ///   `.unsupportedCompression`, `.invalidTimestamp`, `.outOfOrderSequence`, `.invalidProducerEpoch`,
    ///   `.invalidTransactionState` for what the producer did wrong; `.noSpace`, `.fenced`, `.damaged`, `.overloaded`,
    ///   `.viewBehind`, `.closed`, `.storage`, `.unknownTopic` (deleted). After an error nothing of it becomes visible.
    public func append(
        _ bytes: UnsafeMutableRawBufferPointer, durability: Durability, noting note: (Range<Int64>) -> Void = { _ in }
    ) throws(LogError) -> AppendResult {
        let wall = context.machine.clock.wallMilliseconds()
        let batches = try BatchAdmission(bytes, topic: configuration, wallMilliseconds: wall)
        return try append(bytes, batches, durability: durability, ignoresHold: false, noting: note)
    }

    func append(
        _ bytes: UnsafeMutableRawBufferPointer, _ batches: BatchAdmission, durability: Durability, ignoresHold: Bool,
        noting note: (Range<Int64>) -> Void = { _ in }
    ) throws(LogError) -> AppendResult {
        let (wall, now) = (context.machine.clock.wallMilliseconds(), context.monotonicMilliseconds())
        let (result, isListed) = try withCore { core throws(LogError) in
            try openForAppend(&core)
            if !ignoresHold { try checkHold(core) }
            if durability == .now { try admitWaiter(core, beyond: 0) }
            let result = try append(bytes, batches, to: &core, wall: wall, now: now)
            if !result.isDuplicate { note(result.baseOffset..<result.endOffset) }
            guard core.synced.offset < result.endOffset else { return (result, nil as Bool?) }
            return (result, enlist(&core, durability))
        }
        guard let isListed else { return result }
        announce(durability, isListed: isListed, requests: 1)
        if !result.isDuplicate { statistics.noteAppend(batches, bytes: bytes.count) }
        return result
    }

    /// Notes which list of the commit queue the partition is to stand in.
    ///
    /// - Returns: whether it stands there already.
    func enlist(_ core: inout PartitionCore, _ durability: Durability) -> Bool {
        if durability == .now { return !core.queued.insert(.urgent).inserted }
        return !core.queued.isEmpty || !core.queued.insert(.lazy).inserted
    }

    /// Tells the commit queue of appended batches, outside the partition's lock.
    func announce(_ durability: Durability, isListed: Bool, requests: Int) {
        if durability == .now {
            context.commits.addUrgent(self, isNew: !isListed, requests: requests)
        } else if !isListed {
            context.commits.addLazy(self, within: configuration.flushMilliseconds)
        }
    }

    /// Refuses a request that would wait for a sync beyond the bound. `pending` others are about to wait.
    func admitWaiter(_ core: borrowing PartitionCore, beyond pending: Int) throws(LogError) {
        let count = core.waiters.syncCount + pending
        guard count < context.settings.maximumSyncWaitersPerPartition else {
            throw LogError(.overloaded, "\(label): \(count) requests already wait for a sync")
        }
    }

    func openForAppend(_ core: inout PartitionCore) throws(LogError) {
        try open(&core)
        if let fence = core.fence { throw fence }
        // Consumers that go on reading are what lets retention help, so their groups may use the reserve.
        if context.disk.isShort, !TopicName.isInternal(topicName) {
            context.statistics.noteRefusalForSpace()
            throw LogError(.noSpace, "\(label): the disk has less free than its reserve; try again")
        }
    }

    private func append(
        _ bytes: UnsafeMutableRawBufferPointer, _ batches: BatchAdmission, to core: inout PartitionCore, wall: Int64,
        now: Int64
    ) throws(LogError) -> AppendResult {
        if batches.batchCount == 1, case .duplicate(let original) = try core.state.admit(batches.first) {
            return repetition(of: original, core)
        }
        let segment = try segmentForAppend(
            &core, recordCount: batches.recordCount, byteCount: bytes.count, wall: wall)
        let baseOffset = try store(bytes, in: segment, &core, wall: wall, now: now)
        return AppendResult(
            baseOffset: baseOffset, endOffset: core.state.logEndOffset, logAppendTime: batches.logAppendTime,
            logStartOffset: core.state.logStartOffset, isDuplicate: false)
    }

    /// What the append of a batch that is in the log already returns.
    func repetition(of original: ProducerBatch, _ core: borrowing PartitionCore) -> AppendResult {
        AppendResult(
            baseOffset: original.baseOffset, endOffset: original.endOffset,
            logAppendTime: configuration.logAppendTime ? original.timestamp : -1,
            logStartOffset: core.state.logStartOffset, isDuplicate: true)
    }

    /// Writes admitted batches at the log's end, in one write, and gives them their offsets.
    ///
    /// - Returns: the offset of the first record.
    func store(
        _ bytes: UnsafeMutableRawBufferPointer, in segment: Segment, _ core: inout PartitionCore, wall: Int64,
        now: Int64
    ) throws(LogError) -> Int64 {
        let baseOffset = core.state.logEndOffset
        patch(bytes, from: baseOffset, epoch: core.state.leaderEpoch)
        let file = try write(UnsafeRawBufferPointer(bytes), to: segment, &core)
        core.noteUnsynced(segment, file)
        note(UnsafeRawBufferPointer(bytes), in: &core, now: now)
        if core.firstAppendMilliseconds < 0 { core.firstAppendMilliseconds = wall }
        core.position += Int64(bytes.count)
        core.bytesSinceSnapshot += Int64(bytes.count)
        noteHeld(bytes.count, &core)
        core.isChanged = true
        return baseOffset
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
    private func note(_ bytes: UnsafeRawBufferPointer, in core: inout PartitionCore, now: Int64) {
        var position = 0
        while position < bytes.count {
            var fault = ""
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            guard let facts = BatchFacts(header: rest, fault: &fault) else {
                preconditionFailure("admitted batches have sound headers: \(fault)")
            }
            let offset = core.state.append(facts, now: now)
            core.builder.add(
                offset: offset, sizeBytes: facts.sizeBytes, maxTimestamp: facts.maxTimestamp,
                position: core.position + Int64(position))
            position += facts.sizeBytes
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
            core.isCut = true
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
