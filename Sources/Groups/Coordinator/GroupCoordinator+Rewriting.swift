import KafkaWire
import Log
import Synchronization

/// A rewriting of one partition of `__consumer_offsets`.
struct GroupRewriting: Sendable {
    /// What the last one wrote, in bytes.
    var writtenBytes: Int64 = 0
    /// Once everything below `end` is synced, everything below `start` may go.
    var cut: (start: Int64, end: Int64)?
    /// Whether the last attempt failed, and was reported.
    var hasFailed = false
}

/// Keeping the topic small: everything that counts is appended again, then what is before it goes. At every moment the
/// log holds all of it, so a crash anywhere in between costs only space.
extension GroupCoordinator {
    /// Looks at every partition: finishes rewritings whose records are synced, begins those that are due. Tries again to
    /// read what could not be read.
    public func rewriteIfDue() {
        loadUnreadable()
        for (index, partition) in topic.partitions.enumerated() where !isUnreadable(index) {
            var state = rewritings.withLock { $0[index] } ?? GroupRewriting()
            do throws(LogError) {
                if let cut = state.cut {
                    guard partition.highWatermark >= cut.end else { continue }
                    try log.removeRewritten(of: partition, before: cut.start)
                    state.cut = nil
                } else if try partition.storedBytes() > max(settings.rewriteBytes, 3 * state.writtenBytes) {
                    try rewrite(index, partition, &state)
                }
                state.hasFailed = false
            } catch {
                if !state.hasFailed { report(.warning, "\(partition.label) cannot be made smaller: \(error)") }
                state.hasFailed = true
            }
            rewritings.withLock { $0[index] = state }
        }
    }

    private func rewrite(_ index: Int, _ partition: Partition, _ state: inout GroupRewriting) throws(LogError) {
        let start = partition.logEndOffset
        var written: Int64 = 0
        for handle in registry.all where handle.partition == index {
            let result = handle.cell.withLock { cell -> Result<Int64, LogError> in
                guard !cell.isRemoved else { return .success(0) }
                do throws(LogError) {
                    return .success(try rewrite(handle, cell))
                } catch {
                    return .failure(error)
                }
            }
            written += try result.get()
        }
        state.writtenBytes = written
        state.cut = (start, partition.logEndOffset)
    }

    /// Appends everything that a group has in the log, under its lock: nothing newer can come before it.
    private func rewrite(_ handle: GroupHandle, _ cell: borrowing GroupCell) throws(LogError) -> Int64 {
        var records: [OffsetsTopic.Record] = []
        if let value = cell.storedValue {
            records.append(OffsetsTopic.Record(key: GroupRecord.groupKey(handle.id), value: value))
        }
        let offsets = cell.offsets.newest().sorted {
            ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition)
        }
        for (place, value) in offsets {
            records.append(
                OffsetsTopic.Record(
                    key: GroupRecord.offsetKey(handle.id, place), value: GroupRecord.offsetValue(value)))
        }
        try topic.append(records, to: handle.partition, .flushInterval) { _, _ in }
        let batch = Int64(RecordBatchHeader.byteCount)
        return records.reduce(batch) { $0 + Int64($1.key.count + ($1.value?.count ?? 0) + 16) }
    }
}
