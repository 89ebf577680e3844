import Machine

extension Partition {
    /// What all appends of a group share.
    private struct Occasion {
        let wall: Int64
        let now: Int64
        /// Members that somebody waits for, and whether any member but those was appended.
        var waiting = 0
        var hasLazy = false
    }

    /// Appends a group's members under one lock, in as few writes as possible, and sets their outcomes.
    func append(_ group: inout AppendGroup) {
        var occasion = Occasion(
            wall: context.machine.clock.wallMilliseconds(), now: context.monotonicMilliseconds())
        var (urgentIsListed, lazyIsListed) = (true, true)
        withCore { core in
            do throws(LogError) {
                try openForAppend(&core)
                try checkHold(core)
                while group.outcomes.count < group.count { appendRun(&group, &core, &occasion) }
            } catch {
                for _ in 0..<group.count { group.outcomes.append(.failed(error)) }
            }
            if occasion.waiting > 0 { urgentIsListed = enlist(&core, .now) }
            if occasion.hasLazy { lazyIsListed = enlist(&core, .flushInterval) }
        }
        if occasion.waiting > 0 { announce(.now, isListed: urgentIsListed, requests: occasion.waiting) }
        if occasion.hasLazy { announce(.flushInterval, isListed: lazyIsListed, requests: 0) }
        for (member, outcome) in zip(group.members, group.outcomes) where !outcome.isWithoutBytes {
            statistics.noteAppend(member.batches, bytes: member.range.count)
        }
    }

    /// Appends the next members that one write can hold.
    private func appendRun(_ group: inout AppendGroup, _ core: inout PartitionCore, _ occasion: inout Occasion) {
        let first = group.outcomes.count
        var run = first..<(first + 1)
        do throws(LogError) {
            let member = group.members[first]
            if member.durability == .now { try admitWaiter(core, beyond: 0) }
            if case .duplicate(let original) = try admit(member, core) {
                return group.outcomes.append(repeated(original, member, &core, &occasion))
            }
            let segment = try segmentForAppend(
                &core, recordCount: member.batches.recordCount, byteCount: member.range.count, wall: occasion.wall)
            run = extend(run, group, core, segment)
            let bytes = group.bytes(of: run)
            _ = try store(bytes, in: segment, &core, wall: occasion.wall, now: occasion.now)
            conclude(run, UnsafeRawBufferPointer(bytes), &group, &core, &occasion)
        } catch {
            for _ in run { group.outcomes.append(.failed(error)) }
        }
    }

    /// The members from `run` on that can be written with it. Whether one may be appended must not depend on another
    /// before the write has succeeded, so a producer with sequence numbers stands in a run once.
    private func extend(
        _ run: Range<Int>, _ group: borrowing AppendGroup, _ core: borrowing PartitionCore, _ segment: Segment
    ) -> Range<Int> {
        var run = run
        var records = group.members[run.lowerBound].batches.recordCount
        while run.upperBound < group.count {
            let next = group.members[run.upperBound]
            let producer = next.batches.first.producerID
            records += next.batches.recordCount
            let longer = run.lowerBound..<(run.upperBound + 1)
            guard
                producer < 0 || !group.members[run].contains(where: { $0.batches.first.producerID == producer }),
                hasRoom(segment, core, recordCount: records, byteCount: group.bytes(of: longer).count),
                next.durability != .now || (try? admitWaiter(core, beyond: run.count)) != nil,
                case .append? = try? admit(next, core)
            else { return run }
            run = longer
        }
        return run
    }

    private func admit(
        _ member: AppendGroup.Member, _ core: borrowing PartitionCore
    ) throws(LogError) -> PartitionState.Admission {
        member.batches.batchCount == 1 ? try core.state.admit(member.batches.first) : .append
    }

    /// Sets the outcomes of a run that was written: the offsets stand in its bytes.
    private func conclude(
        _ run: Range<Int>, _ bytes: UnsafeRawBufferPointer, _ group: inout AppendGroup, _ core: inout PartitionCore,
        _ occasion: inout Occasion
    ) {
        let start = group.members[run.lowerBound].range.lowerBound
        for index in run {
            let member = group.members[index]
            let end: Int64 =
                index + 1 < run.upperBound
                ? bytes.bigEndian(member.range.upperBound - start) : core.state.logEndOffset
            let result = AppendResult(
                baseOffset: bytes.bigEndian(member.range.lowerBound - start), endOffset: end,
                logAppendTime: member.batches.logAppendTime, logStartOffset: core.state.logStartOffset,
                isDuplicate: false)
            group.outcomes.append(outcome(result, member, &core, &occasion))
        }
    }

    private func repeated(
        _ original: ProducerBatch, _ member: AppendGroup.Member, _ core: inout PartitionCore,
        _ occasion: inout Occasion
    ) -> AppendGroup.Outcome {
        let result = repetition(of: original, core)
        guard result.endOffset > core.synced.offset else { return .appended(result) }
        return outcome(result, member, &core, &occasion)
    }

    private func outcome(
        _ result: AppendResult, _ member: AppendGroup.Member, _ core: inout PartitionCore,
        _ occasion: inout Occasion
    ) -> AppendGroup.Outcome {
        guard member.durability == .now else {
            occasion.hasLazy = true
            return .appended(result)
        }
        occasion.waiting += 1
        guard let waiter = member.waiter else { return .appended(result) }
        core.waiters.add(waiter, upTo: result.endOffset)
        return .waiting(result)
    }
}

extension AppendGroup.Outcome {
    /// Whether nothing was written for it.
    fileprivate var isWithoutBytes: Bool {
        switch self {
        case .failed: true
        case .appended(let result), .waiting(let result): result.isDuplicate
        }
    }
}
