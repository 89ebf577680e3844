// Fetch (1): served 4 to 18.
//
// Deviations from Kafka:
// - Sessions (KIP-227) are declined: the session id is always 0, which tells clients to send full requests. A request
//   that names a session is answered with FETCH_SESSION_ID_NOT_FOUND.
// - The high watermark is the last synced offset.
// - Followers are served like consumers: there are none.
// Both isolation levels are accepted; without transactions they read the same.

import Instruments
import KafkaWire
import Log
import NIOCore

/// A fetch request that waits for data.
struct WaitingFetch {
    let stamp: RequestStamp
    let request: FetchRequest
    /// When it is answered with what there is, in monotonic nanoseconds.
    let deadline: UInt64
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
        let partitions = request.topics.reduce(0) { $0 + $1.partitions.count }
        guard partitions <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "a fetch request for \(partitions) partitions")
        }
        if request.sessionId != 0 {
            var response = FetchResponse()
            response.errorCode = .fetchSessionIdNotFound
            return .answered(.fetch(response, slices: []))
        }
        let reading = FetchReading(request, version: stamp.version, broker)
        let waitMilliseconds = min(Int64(request.maxWaitMs), broker.settings.maximumFetchWaitMilliseconds)
        if reading.isComplete || waitMilliseconds <= 0 || partitions == 0 { return answered(reading) }
        let now = loop.now()
        let deadline = now + UInt64(waitMilliseconds) * 1_000_000
        var waiting = WaitingFetch(stamp: stamp.handled(at: now), request: request, deadline: deadline)
        guard register(&waiting, reading, ticket) else { return answered(reading) }
        fetches[ticket] = waiting
        broker.instruments.waitingFetches.add(1)
        scheduleFetchTimer(deadline)
        return .waiting
    }

    /// A partition that a request waits for has more: answers if it is enough, else waits on.
    func fetchIsReadable(_ ticket: Ticket) {
        guard var waiting = fetches[ticket] else { return }
        cancel(&waiting)
        let reading = FetchReading(waiting.request, version: waiting.stamp.version, broker)
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
        finish(ticket, waiting, FetchReading(waiting.request, version: waiting.stamp.version, broker))
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

    private func answered(_ reading: FetchReading) -> Outcome {
        count(reading)
        return .answered(.fetch(reading.response, slices: reading.slices))
    }

    private func finish(_ ticket: Ticket, _ waiting: WaitingFetch, _ reading: FetchReading) {
        fetches[ticket] = nil
        broker.instruments.waitingFetches.add(-1)
        count(reading)
        answer(ticket, waiting.stamp, .fetch(reading.response, slices: reading.slices))
    }

    private func count(_ reading: FetchReading) {
        for fetched in reading.slices { loop.countBytesOut(fetched.slice.count, of: fetched.partition) }
        for code in reading.errors { broker.instruments.countError(.fetch, code.name) }
    }

    /// Puts a request on the lists of all its partitions; false if there is no room on one, or one has gone.
    private func register(_ waiting: inout WaitingFetch, _ reading: FetchReading, _ ticket: Ticket) -> Bool {
        let request = RequestID(connection: id, ticket: ticket)
        let waiter = FetchWaiter(request, loop.mailbox)
        for (asked, answered) in zip(waiting.request.topics, reading.response.responses) {
            let topic = broker.topic(asked, version: waiting.stamp.version)
            for (part, answer) in zip(asked.partitions, answered.partitions) {
                guard let partition = topic?.partition(part.partition) else { continue }
                let offset = max(part.fetchOffset, answer.highWatermark)
                do throws(LogError) {
                    guard let registration = try partition.notifyWhenReadable(beyond: offset, waiter) else {
                        // More came since the read. Through the mailbox, so that fast appends cannot starve the loop.
                        loop.mailbox.post(.readable(request))
                        return true
                    }
                    waiting.registrations.append((partition, registration))
                } catch {
                    cancel(&waiting)
                    return false
                }
            }
        }
        return true
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

extension Broker {
    /// The topic that a part of a fetch request is about: by name up to version 12, by id from 13 on.
    fileprivate func topic(_ asked: FetchRequest.FetchTopic, version: Int16) -> Topic? {
        version >= 13 ? log.topic(id: asked.topicId) : log.topic(named: asked.topic)
    }
}

/// What fills one gap of a fetch response.
struct FetchedSlice: Sendable {
    let slice: LogSlice
    let partition: Partition
}

/// What a fetch request reads at one moment: the response, and the slices that fill its gaps.
struct FetchReading {
    /// The response; the records of its partitions are gaps.
    private(set) var response = FetchResponse()
    /// What fills the gaps, in order.
    private(set) var slices: [FetchedSlice] = []
    /// The partitions' errors.
    private(set) var errors: [ErrorCode] = []
    /// Whether the response need not wait: it has the bytes asked for, or an error.
    var isComplete: Bool { byteCount >= minimumBytes || !errors.isEmpty }

    private var byteCount = 0
    private var remainingBytes: Int
    private let minimumBytes: Int
    private let isReadCommitted: Bool

    /// Reads every partition in the order of the request. KIP-74: the first batch found is returned whole whatever the
    /// limits, so that a reader always advances.
    init(_ request: FetchRequest, version: Int16, _ broker: Broker) {
        remainingBytes = min(Int(max(0, request.maxBytes)), broker.settings.maximumFetchBytes)
        minimumBytes = Int(max(0, request.minBytes))
        isReadCommitted = request.isolationLevel == 1
        response.responses.reserveCapacity(request.topics.count)
        for asked in request.topics {
            let topic = broker.topic(asked, version: version)
            var answer = FetchResponse.FetchableTopicResponse()
            answer.topic = asked.topic
            answer.topicId = asked.topicId
            answer.partitions.reserveCapacity(asked.partitions.count)
            for partition in asked.partitions {
                answer.partitions.append(read(partition, of: topic, byID: version >= 13))
            }
            response.responses.append(answer)
        }
    }

    private mutating func read(
        _ asked: FetchRequest.FetchPartition, of topic: Topic?, byID: Bool
    ) -> FetchResponse.PartitionData {
        var answer = FetchResponse.PartitionData()
        answer.partitionIndex = asked.partition
        answer.highWatermark = -1
        answer.records = .bytes([])
        answer.abortedTransactions = isReadCommitted ? [] : nil
        guard let partition = topic?.partition(asked.partition) else {
            answer.errorCode = topic == nil && byID ? .unknownTopicId : .unknownTopicOrPartition
            errors.append(answer.errorCode)
            return answer
        }
        do throws(LogError) {
            try checkEpoch(asked.currentLeaderEpoch, partition)
            let limit = min(Int(max(0, asked.partitionMaxBytes)), remainingBytes)
            let slice = try partition.read(
                from: asked.fetchOffset, maximumBytes: limit, atLeastOneBatch: byteCount == 0)
            answer.highWatermark = slice.highWatermark
            answer.lastStableOffset = slice.lastStableOffset
            answer.logStartOffset = slice.logStartOffset
            guard !slice.isEmpty else { return answer }
            answer.records = .external(byteCount: slice.count)
            byteCount += slice.count
            remainingBytes = max(0, remainingBytes - slice.count)
            slices.append(FetchedSlice(slice: slice, partition: partition))
        } catch {
            answer.errorCode = error.kafkaCode
            answer.logStartOffset = partition.logStartOffset
            errors.append(answer.errorCode)
        }
        return answer
    }
}

/// KIP-320: a client that has heard of a newer leader must wait for us, one that has not must look again.
func checkEpoch(_ known: Int32, _ partition: Partition) throws(LogError) {
    guard known >= 0 else { return }
    let current = partition.leaderEpoch
    if known < current { throw LogError(.fencedLeaderEpoch, "the leader epoch is \(current), not \(known)") }
    if known > current { throw LogError(.unknownLeaderEpoch, "the leader epoch is \(current), not \(known)") }
}
