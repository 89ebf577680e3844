/// Who waits on a partition. Bounded by `LogSettings`.
struct WaitLists: Sendable {
    private struct Sync: Sendable {
        let offset: Int64
        let waiter: any SyncWaiter
    }

    private struct Read: Sendable {
        let identifier: UInt64
        let offset: Int64
        let waiter: any ReadWaiter
    }

    private var syncs: [Sync] = []
    private var reads: [Read] = []
    private var nextIdentifier: UInt64 = 1

    var syncCount: Int { syncs.count }
    var readCount: Int { reads.count }

    mutating func add(_ waiter: any SyncWaiter, upTo offset: Int64) {
        syncs.append(Sync(offset: offset, waiter: waiter))
    }

    mutating func add(_ waiter: any ReadWaiter, beyond offset: Int64) -> ReadRegistration {
        defer { nextIdentifier += 1 }
        reads.append(Read(identifier: nextIdentifier, offset: offset, waiter: waiter))
        return ReadRegistration(identifier: nextIdentifier)
    }

    mutating func remove(_ registration: ReadRegistration) {
        guard let index = reads.firstIndex(where: { $0.identifier == registration.identifier }) else { return }
        reads.swapAt(index, reads.count - 1)
        reads.removeLast()
    }

    /// Moves whom a high watermark satisfies into `wakeUps`.
    mutating func release(upTo highWatermark: Int64, into wakeUps: inout WakeUps) {
        syncs.removeAll { entry in
            guard entry.offset <= highWatermark else { return false }
            wakeUps.synced.append((entry.waiter, nil))
            return true
        }
        reads.removeAll { entry in
            guard entry.offset < highWatermark else { return false }
            wakeUps.readable.append(entry.waiter)
            return true
        }
    }

    /// Moves everybody into `wakeUps`: nothing more will come.
    mutating func releaseAll(_ error: LogError, into wakeUps: inout WakeUps) {
        for entry in syncs { wakeUps.synced.append((entry.waiter, error)) }
        for entry in reads { wakeUps.readable.append(entry.waiter) }
        syncs = []
        reads = []
    }
}

/// Waiters to be called once every lock is released.
struct WakeUps: Sendable {
    var synced: [(any SyncWaiter, LogError?)] = []
    var readable: [any ReadWaiter] = []

    /// Calls everybody, and is empty again, with its storage.
    mutating func deliver() {
        for (waiter, error) in synced { waiter.synced(error) }
        for waiter in readable { waiter.readable() }
        synced.removeAll(keepingCapacity: true)
        readable.removeAll(keepingCapacity: true)
    }
}
