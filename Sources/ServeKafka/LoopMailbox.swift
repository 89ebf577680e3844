import Log
import NIOCore
import Synchronization

/// A connection's number, unique in the process.
struct ConnectionID: Hashable, Sendable {
    let number: UInt64
}

/// What other threads tell an event loop.
enum LoopEvent: Sendable {
    /// A partition that a produce request waits for is synced, or will not be.
    case synced(RequestID, PartitionPosition, LogError?)
    /// A partition that a fetch request waits for has more to read.
    case readable(RequestID)
    /// Work that was done on another thread is done.
    case done(RequestID, Response.Body)
    /// The memory budget has room again.
    case memoryAvailable(ConnectionID)
}

/// Where other threads leave events for one event loop. However many they leave, the loop is woken once: a thread
/// switch costs 5 to 30 µs, an append under a lock 5 ns.
///
/// Bounded by what can be waiting: connections × requests in flight × partitions per request.
final class LoopMailbox: Sendable {
    let eventLoop: any EventLoop
    /// Who works on the events; only touched on the loop.
    let owner: NIOLoopBoundBox<BrokerLoop?>
    private let events = Mutex<[LoopEvent]>([])
    /// The array that `events` was before the last delivery: the two change places, so that neither is allocated anew.
    private let delivered: NIOLoopBoundBox<[LoopEvent]>

    /// Above this, a delivered array is let go: it was a burst.
    private static let keptEvents = 4_096

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        owner = .makeEmptyBox(eventLoop: eventLoop)
        delivered = .makeBoxSendingValue([], eventLoop: eventLoop)
    }

    /// Leaves an event, from any thread.
    func post(_ event: LoopEvent) {
        let isFirst = events.withLock { events in
            events.append(event)
            return events.count == 1
        }
        if isFirst { eventLoop.execute(deliver) }
    }

    @Sendable
    private func deliver() {
        var batch: [LoopEvent] = []
        swap(&batch, &delivered.value)
        events.withLock { swap(&batch, &$0) }
        owner.value?.deliver(batch)
        batch.removeAll(keepingCapacity: batch.count <= Self.keptEvents)
        swap(&batch, &delivered.value)
    }
}
