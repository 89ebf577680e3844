public import Log
import Synchronization

extension Views {
    /// Appends a control record to every partition of a topic, and waits until all their views have applied it. If it
    /// fails half-way, some partitions have it: commands are such that giving them again does no harm.
    ///
    /// - Parameter command: the record's value, which the topic's kind of view understands.
    /// - Returns: what the views refused of it.
    /// - Throws: `.unknown` if the topic has no view; `.noSpace`, `.storage`, `.damaged` (fenced), `.timedOut`, `.closed`,
    ///   `.limitReached`.
    public func apply(
        command: [UInt8], to topic: Topic, timeoutMilliseconds: Int64
    ) async throws(ViewError) -> AppliedOutcome {
        var waits: [(view: PartitionView, offsets: Range<Int64>)] = []
        for partition in topic.partitions {
            let view = try view(of: topic.id, partition: partition.index)
            do throws(LogError) {
                let result = try partition.appendControl(key: ControlRecord.key, value: command, durability: .now) {
                    view.expect($0)
                }
                waits.append((view, result.baseOffset..<result.endOffset))
            } catch {
                throw ViewError(viewing: error)
            }
        }
        var outcome = AppliedOutcome(rejections: [], isWhole: true)
        for (view, offsets) in waits {
            let part = try await view.waitUntilApplied(offsets, timeoutMilliseconds: timeoutMilliseconds)
            outcome.rejections += part.rejections
            outcome.isWhole = outcome.isWhole && part.isWhole
        }
        return outcome
    }

    /// Waits until a record is applied: `GET /views/wait`, for producers who want to read what they wrote.
    ///
    /// - Parameters:
    ///   - offset: the record's offset, as the producer was told it.
    ///   - timeoutMilliseconds: at most how long.
    /// - Returns: the first offset that was not applied yet when the waiting was over.
    /// - Throws: `.unknown`, `.timedOut`, `.closed`, `.limitReached`, or why the view could not be opened.
    public func wait(
        for topic: String, partition: Int32, offset: Int64, timeoutMilliseconds: Int64
    ) async throws(ViewError) -> Int64 {
        let view = try view(named: topic, partition: partition)
        guard offset >= 0, offset < .max else { throw ViewError(.unknown, "there is no offset \(offset)") }
        _ = try await view.waitUntilApplied(offset..<(offset + 1), timeoutMilliseconds: timeoutMilliseconds)
        return view.applied
    }

    /// Where the logs end that views have not applied to their ends. May read the disk.
    ///
    /// Right after a crash that is not the high watermark that a partition shows: what an earlier process may have
    /// promised has to be synced again first, and `end` is nil until it is. Views that are paused or that failed, and
    /// those of partitions that cannot be read, are left out: nothing is to be waited for.
    public func unapplied() -> [(topic: String, partition: Int32, end: Int64?)] {
        let views = table.withLock { Array($0.values) }.flatMap { views in
            views.partitions.values.compactMap { entry -> PartitionView? in
                guard case .open(let open) = entry else { return nil }
                return open.view
            }
        }
        return views.compactMap { view in
            guard !view.isPaused, view.partition.fenceReason == nil else { return nil }
            let end = try? view.partition.latestOffset()
            if let end, view.applied >= end { return nil }
            return (view.topic, view.index, end)
        }
    }
}

extension PartitionView {
    var isPaused: Bool { core.withLock { $0.state.isPaused || $0.isClosed } }
}
