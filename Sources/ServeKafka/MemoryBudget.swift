import NIOCore
import Synchronization

/// The memory that all connections together may hold in frames that have begun and are not complete.
///
/// A connection reserves a frame before it gathers it. One that does not fit waits, unread, in order of arrival, until
/// others have finished theirs; the peer sees a full TCP window. A frame that holds a reservation needs nothing
/// further to complete, so waiting cannot deadlock, and the frame time-out bounds how long anyone can hold one.
final class MemoryBudget: Sendable {
    /// Who is told that memory is free again.
    struct Waiter: Sendable {
        let connection: ConnectionID
        let mailbox: LoopMailbox
    }

    /// The bound, in bytes.
    let capacityBytes: Int
    private let state = Mutex((usedBytes: 0, waiters: [Waiter]()))

    init(capacityBytes: Int) {
        self.capacityBytes = capacityBytes
    }

    /// The bytes reserved now.
    var usedBytes: Int { state.withLock { $0.usedBytes } }

    /// Reserves memory. If there is not enough, `waiter` gets `.memoryAvailable` once, when it pays to ask again.
    ///
    /// A frame larger than the whole budget is let in when nothing else is reserved, else it could never come.
    func reserve(_ bytes: Int, orTell waiter: Waiter) -> Bool {
        state.withLock { state in
            guard state.usedBytes == 0 || state.usedBytes + bytes <= capacityBytes else {
                state.waiters.append(waiter)
                return false
            }
            state.usedBytes += bytes
            return true
        }
    }

    /// Gives memory back.
    func release(_ bytes: Int) {
        let waiters = state.withLock { state in
            state.usedBytes -= bytes
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
