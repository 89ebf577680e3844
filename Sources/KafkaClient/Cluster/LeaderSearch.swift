import NIOCore

/// Opens connections to leaders and asks who leads, on behalf of one producer or consumer: one attempt of each kind
/// at a time, with growing waits while it does not help. Belongs to the client's event loop.
final class LeaderSearch {
    /// Brokers whose connection is being opened.
    private var awaited: Set<Int32> = []
    private var isAsking = false
    private var notBefore: Int64 = 0
    private var backoff: Backoff

    init(_ settings: ClientSettings) {
        backoff = Backoff(
            firstMilliseconds: settings.retryBackoffMilliseconds.lowerBound,
            mostMilliseconds: settings.retryBackoffMilliseconds.upperBound)
    }

    /// Opens a connection and calls `changed` when that worked or failed. A broker that cannot be reached may be gone
    /// for good, and another one lead its partitions: what is known about `topics` is then distrusted.
    func connect(
        to broker: Int32, _ cluster: Cluster, topics: @escaping () -> Set<String>, changed: @escaping () -> Void
    ) {
        guard awaited.insert(broker).inserted else { return }
        cluster.connection(to: .node(broker)) { [weak self, weak cluster] result in
            guard let self, let cluster else { return }
            awaited.remove(broker)
            if case .failure = result {
                for topic in topics() { cluster.metadata.distrust(topic) }
            }
            changed()
        }
    }

    /// Asks about topics, and calls `changed` when the answer was taken in. Returns when to come again, if it is too
    /// early now.
    func ask(_ topics: Set<String>, now: Int64, _ cluster: Cluster, changed: @escaping () -> Void) -> Int64? {
        guard !topics.isEmpty, !isAsking else { return nil }
        guard notBefore <= now else { return notBefore }
        isAsking = true
        cluster.refreshMetadata(topics: topics.sorted()) { [weak self] result in
            guard let self else { return }
            isAsking = false
            if case .success(let answer) = result, answer.failures.isEmpty { backoff.succeeded() }
            // Even a good answer may tell of a leader that is not one yet: never ask again without any wait.
            notBefore = Time.monotonicMilliseconds() + backoff.failed(random: .random(in: 0 ... .max))
            changed()
        }
        return nil
    }
}

/// A timer that is moved only forward: of several times it is set to, the earliest counts. Belongs to one event loop.
final class EarliestTimer {
    private var current: (due: Int64, scheduled: Scheduled<Void>)?

    /// Calls `action` on `loop` at a time of the monotonic clock, in milliseconds, unless it is set to an earlier one.
    func set(to due: Int64, on loop: any EventLoop, _ action: @escaping @Sendable () -> Void) {
        if let current, current.due <= due { return }
        current?.scheduled.cancel()
        let bound = NIOLoopBound(self, eventLoop: loop)
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(max(0, due)) * 1_000_000)
        let scheduled = loop.scheduleTask(deadline: deadline) {
            bound.value.current = nil
            action()
        }
        current = (due, scheduled)
    }

    func cancel() {
        current?.scheduled.cancel()
        current = nil
    }
}
