// Fetch (1): served 4 to 18.
//
// Deviations from Kafka:
// - Sessions (KIP-227) are bounded not only by their number but also by the sum of their partitions. One that grows
//   beyond that is closed: FETCH_SESSION_ID_NOT_FOUND, upon which clients begin anew, without a session if need be.
// - The high watermark is the last synced offset.
// - Followers are served like consumers: there are none.
// Both isolation levels are accepted; without transactions they read the same.

import Instruments
import KafkaWire
import Log
import NIOCore

/// A fetch request that waits for data.
struct WaitingFetch {
    var stamp: RequestStamp
    let request: FetchRequest
    let scope: FetchScope
    /// When it is answered with what there is, in monotonic nanoseconds.
    var deadline: UInt64
    /// Where it is on a list of waiters.
    var registrations: [(partition: Partition, registration: ReadRegistration)] = []
}

/// Tells the connection's loop that a partition of a fetch request has more to read.
private final class FetchWaiter: ReadWaiter {
    private let request: RequestID
    private let mailbox: LoopMailbox

    init(_ request: RequestID, _ mailbox: LoopMailbox) {
        self.request = request
        self.mailbox = mailbox
    }

    func readable() {
        mailbox.post(.readable(request))
    }
}

extension KafkaConnection {
    /// Answers at once if there is enough, or something to tell; else waits.
    func fetch(_ request: FetchRequest, _ stamp: RequestStamp, _ ticket: Ticket) -> Outcome {
        let named = request.partitionCount
        guard named <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "a fetch request for \(named) partitions")
        }
        let scope: FetchScope
        do throws(RequestRefusal) {
            scope = try broker.fetchScope(of: request, version: stamp.version)
        } catch {
            return answered(FetchReading(refusing: error.code))
        }
        var waiting = WaitingFetch(stamp: stamp, request: request, scope: scope, deadline: 0)
        let reading = read(waiting)
        let waitMilliseconds = min(Int64(request.maxWaitMs), broker.settings.maximumFetchWaitMilliseconds)
        if reading.isComplete || waitMilliseconds <= 0 || reading.partitionCount == 0 {
            return answered(settled(reading, waiting))
        }
        let now = loop.now()
        waiting.stamp.handledAt = now
        waiting.deadline = now + UInt64(waitMilliseconds) * 1_000_000
        guard register(&waiting, reading, ticket) else { return answered(settled(reading, waiting)) }
        fetches[ticket] = waiting
        broker.instruments.waitingFetches.add(1)
        scheduleFetchTimer(waiting.deadline)
        return .waiting
    }

    /// A partition that a request waits for has more: answers if it is enough, else waits on.
    func fetchIsReadable(_ ticket: Ticket) {
        guard var waiting = fetches[ticket] else { return }
        cancel(&waiting)
        let reading = read(waiting)
        if !reading.isComplete, register(&waiting, reading, ticket) {
            fetches[ticket] = waiting
        } else {
            finish(ticket, waiting, reading)
        }
    }

    /// Answers a waiting request with what there is.
    func answerFetch(_ ticket: Ticket) {
        guard var waiting = fetches[ticket] else { return }
        cancel(&waiting)
        finish(ticket, waiting, read(waiting))
    }

    /// Forgets the waiting requests of a connection that is gone.
    func cancelFetches() {
        for ticket in Array(fetches.keys) {
            guard var waiting = fetches.removeValue(forKey: ticket) else { continue }
            cancel(&waiting)
            broker.instruments.waitingFetches.add(-1)
        }
        fetchTimer?.task.cancel()
        fetchTimer = nil
    }

    private func read(_ waiting: WaitingFetch) -> FetchReading {
        FetchReading(waiting.request, waiting.scope, version: waiting.stamp.version, broker)
    }

    private func answered(_ reading: FetchReading) -> Outcome {
        count(reading)
        return .answered(.fetch(reading.response, slices: reading.slices))
    }

    private func finish(_ ticket: Ticket, _ waiting: WaitingFetch, _ reading: FetchReading) {
        fetches[ticket] = nil
        broker.instruments.waitingFetches.add(-1)
        let reading = settled(reading, waiting)
        count(reading)
        answer(ticket, waiting.stamp, .fetch(reading.response, slices: reading.slices))
    }

    /// The reading as it is answered: its session takes note.
    private func settled(_ reading: FetchReading, _ waiting: WaitingFetch) -> FetchReading {
        if case .sessionless = waiting.scope { return reading }
        if case .incremental = waiting.scope { loop.instruments.incrementalFetches.add() }
        var reading = reading
        reading.settle(waiting.request, waiting.scope, version: waiting.stamp.version, broker)
        return reading
    }

    private func count(_ reading: FetchReading) {
        for fetched in reading.slices { loop.countBytesOut(fetched.slice.count, of: fetched.partition) }
        for code in reading.errors { broker.instruments.countError(.fetch, code.name) }
    }

    /// Puts a request on the lists of all its partitions; false if there is no room on one.
    private func register(_ waiting: inout WaitingFetch, _ reading: FetchReading, _ ticket: Ticket) -> Bool {
        var watch = FetchWatch(FetchWaiter(RequestID(connection: id, ticket: ticket), loop.mailbox))
        var topics = TopicLookup(broker.log, version: waiting.stamp.version)
        switch waiting.scope {
        case .sessionless, .full:
            for (asked, answered) in zip(waiting.request.topics, reading.response.responses) {
                let topic = topics.topic(FetchedTopic(name: asked.topic, id: asked.topicId))
                for (part, answer) in zip(asked.partitions, answered.partitions) {
                    watch.add(topic?.partition(part.partition), beyond: max(part.fetchOffset, answer.highWatermark))
                }
            }
        case .incremental(let handle, _):
            handle.withSession { session in
                session.forEach { _, part in
                    watch.add(
                        topics.topic(part.topic)?.partition(part.asked.partition),
                        beyond: max(part.asked.fetchOffset, part.seenHighWatermark))
                }
            }
        }
        waiting.registrations = watch.registrations
        if watch.state == .refused { cancel(&waiting) }
        return watch.state != .refused
    }

    private func cancel(_ waiting: inout WaitingFetch) {
        for (partition, registration) in waiting.registrations { partition.cancel(registration) }
        waiting.registrations.removeAll(keepingCapacity: true)
    }

    /// Makes sure that the timer fires at `deadline` or before. It is not cancelled when a request is answered early:
    /// a consumer at the log's end would schedule and cancel one per request.
    private func scheduleFetchTimer(_ deadline: UInt64) {
        if let fetchTimer {
            guard deadline < fetchTimer.deadline else { return }
            fetchTimer.task.cancel()
        }
        let now = loop.now()
        let delay = TimeAmount.nanoseconds(Int64(deadline - min(now, deadline)))
        let task = loop.mailbox.eventLoop.assumeIsolated().scheduleTask(in: delay) { self.fetchTimerFired() }
        fetchTimer = (task, deadline)
    }

    private func fetchTimerFired() {
        fetchTimer = nil
        let now = loop.now()
        for (ticket, waiting) in fetches where waiting.deadline <= now { answerFetch(ticket) }
        if let next = fetches.values.lazy.map(\.deadline).min() { scheduleFetchTimer(next) }
        advance()
    }
}

/// Puts one request on the lists of its partitions, until it need not wait or may not.
private struct FetchWatch {
    enum State {
        case watching
        /// A partition has more to read already.
        case readable
        /// A list is full, or its partition has gone.
        case refused
    }

    private let waiter: FetchWaiter
    private(set) var registrations: [(partition: Partition, registration: ReadRegistration)] = []
    private(set) var state = State.watching

    init(_ waiter: FetchWaiter) {
        self.waiter = waiter
    }

    mutating func add(_ partition: Partition?, beyond offset: Int64) {
        guard state == .watching, let partition else { return }
        do throws(LogError) {
            if let registration = try partition.notifyWhenReadable(beyond: offset, waiter) {
                registrations.append((partition, registration))
            } else {
                // More came since the read. Through the mailbox, so that fast appends cannot starve the loop.
                waiter.readable()
                state = .readable
            }
        } catch {
            state = .refused
        }
    }
}
