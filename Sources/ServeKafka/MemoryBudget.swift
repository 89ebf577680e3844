import Instruments
import Synchronization

/// The memory that all connections together may hold in large requests that have arrived in part.
///
/// A connection reserves a request before it gathers it. One that does not fit waits, unread, until others have
/// finished theirs; the peer sees a full TCP window. A request that holds a reservation needs nothing further to
/// complete, so waiting cannot deadlock, and the frame time-out bounds how long anyone can hold one.
final class MemoryBudget: Sendable {
    /// Who is told that memory is free again.
    struct Waiter: Sendable {
        let connection: ConnectionID
        let mailbox: LoopMailbox
    }

    /// The bound, in bytes.
    let capacityBytes: Int
    private let gauge: Gauge
    private let state = Mutex((usedBytes: 0, waiters: [Waiter]()))

    init(capacityBytes: Int, gauge: Gauge) {
        self.capacityBytes = capacityBytes
        self.gauge = gauge
    }

    /// The bytes reserved now.
    var usedBytes: Int { state.withLock { $0.usedBytes } }
    /// How many wait for memory.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// Reserves memory. If there is not enough, `waiter` gets `.memoryAvailable` once, when it pays to ask again.
    ///
    /// A request larger than the whole budget is let in when nothing else is reserved, else it could never come.
    func reserve(_ bytes: Int, orTell waiter: Waiter) -> Bool {
        state.withLock { state in
            guard state.usedBytes == 0 || state.usedBytes + bytes <= capacityBytes else {
                state.waiters.append(waiter)
                return false
            }
            state.usedBytes += bytes
            gauge.set(Int64(state.usedBytes))
            return true
        }
    }

    /// Gives memory back, and wakes everyone who waits: those for whom it is still not enough wait again.
    func release(_ bytes: Int) {
        let waiters = state.withLock { state in
            state.usedBytes -= bytes
            gauge.set(Int64(state.usedBytes))
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters { waiter.mailbox.post(.memoryAvailable(waiter.connection)) }
    }

    /// Forgets a connection that is gone.
    func forget(_ connection: ConnectionID) {
        state.withLock { $0.waiters.removeAll { $0.connection == connection } }
    }
}
