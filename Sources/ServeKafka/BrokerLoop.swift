import Bytes
import Instruments
import KafkaWire
import Listening
import Log
import Logging
import Machine
import NIOCore

/// What the connections of one event loop share. Touched on that loop only.
final class BrokerLoop {
    let broker: Broker
    let mailbox: LoopMailbox
    let instruments: LoopInstruments
    /// Where a connection gathers small appends; empty between read cycles.
    var group = AppendGroup()
    /// What connections write their responses into; empty between read cycles.
    var writer = ByteWriter(capacity: 4_096)
    private var connections: [ConnectionID: KafkaConnection] = [:]
    private var bytesOut: [Uuid: Counter] = [:]
    private var sweep: RepeatedTask?
    /// When time-outs were looked for last, in monotonic nanoseconds.
    private var sweptAt: UInt64 = 0
    /// The connections that a delivery concerns; empty between deliveries.
    private var touched: [KafkaConnection] = []
    private var limiter = LogLimiter(linesPerSecond: 5)
    private var failureLimiter = LogLimiter(linesPerSecond: 1)

    /// How often time-outs are looked for: they are precise to a second.
    private static let sweepInterval = TimeAmount.seconds(1)
    /// Topics whose counters are kept at hand; beyond it all are looked up anew.
    private static let maximumTopics = 10_000

    init(broker: Broker, mailbox: LoopMailbox) {
        self.broker = broker
        self.mailbox = mailbox
        instruments = LoopInstruments(broker.instruments.registry)
    }

    /// Monotonic nanoseconds.
    func now() -> UInt64 { broker.clock.monotonicNanoseconds() }

    /// Adds a connection that became active.
    func add(_ connection: KafkaConnection) {
        connections[connection.id] = connection
        broker.instruments.connections.add(1)
        guard sweep == nil else { return }
        sweptAt = now()
        let bound = NIOLoopBound(self, eventLoop: mailbox.eventLoop)
        sweep = mailbox.eventLoop.scheduleRepeatedTask(
            initialDelay: Self.sweepInterval, delay: Self.sweepInterval
        ) { _ in bound.value.enforceTimeouts() }
    }

    /// Forgets a connection that became inactive.
    func remove(_ connection: KafkaConnection) {
        guard connections.removeValue(forKey: connection.id) != nil else { return }
        broker.instruments.connections.add(-1)
        broker.budget.forget(connection.id)
        if connections.isEmpty {
            sweep?.cancel()
            sweep = nil
        }
    }

    /// Works on what other threads left, then lets each connection concerned write once.
    func deliver(_ events: [LoopEvent]) {
        for event in events {
            guard let connection = connections[event.connection] else { continue }
            connection.handle(event)
            if !connection.isTouched {
                connection.isTouched = true
                touched.append(connection)
            }
        }
        for connection in touched {
            connection.isTouched = false
            connection.advance()
        }
        touched.removeAll(keepingCapacity: true)
    }

    /// Takes no more requests on any connection; each closes when its last response has left.
    func drainConnections() {
        for connection in Array(connections.values) { connection.drain() }
    }

    /// Closes what has not drained.
    func closeConnections() {
        for connection in Array(connections.values) { connection.close(.stopping, "the broker stopped") }
        mailbox.owner.value = nil
    }

    /// Counts fetched bytes of a partition. The counters are kept by topic id: a later topic of the same name has its
    /// own.
    func countBytesOut(_ bytes: Int, of partition: Partition) {
        if let known = bytesOut[partition.topicID] { return known.add(UInt64(bytes)) }
        if bytesOut.count >= Self.maximumTopics { bytesOut.removeAll() }
        let counter = broker.instruments.bytesOut(ofTopic: partition.topicName)
        counter.add(UInt64(bytes))
        bytesOut[partition.topicID] = counter
    }

    /// Logs and counts that the broker closes a connection. Lines are limited; the counter tells all.
    func report(_ reason: KafkaInstruments.CloseReason, _ detail: String, remote: String) {
        broker.instruments.countClose(reason)
        // A client that resets its connection is no news.
        if reason == .socket { return broker.logger.debug("connection failed", metadata: ["detail": "\(detail)"]) }
        guard let suppressed = limiter.admit(now: now()) else { return }
        broker.logger.warning(
            "connection closed",
            metadata: [
                "reason": "\(reason.rawValue)", "detail": "\(detail)", "client": "\(remote)",
                "suppressed": "\(suppressed)",
            ])
    }

    /// Logs what the disk refused; what clients did wrong is theirs to log. Lines are limited; the counters tell all.
    func report(_ error: LogError) {
        guard error.kafkaCode == .kafkaStorageError, let suppressed = failureLimiter.admit(now: now()) else { return }
        broker.logger.error("append failed", metadata: ["detail": "\(error)", "suppressed": "\(suppressed)"])
    }

    private func enforceTimeouts() {
        let now = now()
        let due = sweptAt + UInt64(Self.sweepInterval.nanoseconds)
        instruments.delay.record(now - min(now, due))
        sweptAt = now
        for connection in Array(connections.values) { connection.enforceTimeouts(now: now) }
    }
}

extension LoopEvent {
    fileprivate var connection: ConnectionID {
        switch self {
        case .synced(let request, _, _), .readable(let request), .done(let request, _): request.connection
        case .memoryAvailable(let connection): connection
        }
    }
}
