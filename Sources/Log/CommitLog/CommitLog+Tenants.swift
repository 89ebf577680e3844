package import Machine
import Synchronization

/// What the parts of the server that keep their own records in the log need beyond what everybody may do.
extension CommitLog {
    /// The machine that the log runs on.
    package var machine: Machine { context.machine }

    /// The clock that does not jump, in milliseconds.
    package func monotonicMilliseconds() -> Int64 { context.monotonicMilliseconds() }

    /// The wall clock by which things expire, in milliseconds: a jump ahead is believed only after a while.
    package func retentionMilliseconds() -> Int64 {
        let (wall, now) = (machine.clock.wallMilliseconds(), monotonicMilliseconds())
        return retentionClock.withLock { $0.read(wall: wall, monotonic: now) }.time
    }

    /// Removes what stands before an offset of a partition because it was written again behind it. Whole segments go;
    /// the active one stays.
    package func removeRewritten(of partition: Partition, before offset: Int64) throws(LogError) {
        guard let draft = try partition.expire(before: offset, .rewritten) else { return }
        _ = remove([draft])
    }
}
