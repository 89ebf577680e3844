/// Where a consumer stands in each of its partitions, as a pure value: what is to be looked up, what is to be fetched
/// from which broker, and what an answer means.
///
/// One request is under way per broker at a time. A partition goes into it whenever the bytes that wait for the reader
/// are below the bound. Every partition carries a generation that `seek` and `assign` raise: answers to questions of
/// an older generation are ignored.
struct FetchState: Sendable {
    enum Phase: Sendable, Equatable {
        /// The offsets to begin and end at are to be looked up.
        case unresolved
        case resolving
        case fetching
        /// Everything up to `until` was handed over.
        case ended
        /// It failed for good, and the reader was told.
        case failed
    }

    struct Partition: Sendable {
        var generation: Int
        var phase: Phase
        var from: OffsetSpec
        var to: OffsetSpec?
        /// The offset to fetch next.
        var next: Int64 = 0
        /// The offset to stop before.
        var until: Int64?
        /// The offset behind the last record that the reader took.
        var position: Int64?
        var highWatermark: Int64?
        var lastStableOffset: Int64?
        var logStartOffset: Int64?
        /// Until when it is left alone after a failure.
        var notBefore: Int64 = 0
        var backoff: Backoff
        var isInFlight = false
    }

    /// A partition in a request.
    struct Entry: Sendable, Equatable {
        let partition: TopicPartition
        let offset: Int64
        let generation: Int
    }

    /// A partition whose offsets are to be looked up.
    struct Lookup: Sendable, Equatable {
        let partition: TopicPartition
        let generation: Int
        let from: OffsetSpec
        let to: OffsetSpec?
    }

    /// What is to be done now.
    struct Due: Sendable {
        var lookups: [Lookup] = []
        /// One request per broker.
        var fetches: [Int32: [Entry]] = [:]
        var leaderless: Set<String> = []
        var unconnected: Set<Int32> = []
        var wakeAt: Int64?
    }

    let prefetchBytes: Int
    let outOfRangePolicy: ConsumerSettings.OutOfRangePolicy
    let retryBackoff: ClosedRange<Int64>
    private(set) var partitions: [TopicPartition: Partition] = [:]
    private var busyBrokers: Set<Int32> = []
    private var nextGeneration = 0
    private var rotation = 0

    init(
        prefetchBytes: Int, outOfRangePolicy: ConsumerSettings.OutOfRangePolicy, retryBackoff: ClosedRange<Int64>
    ) {
        self.prefetchBytes = prefetchBytes
        self.outOfRangePolicy = outOfRangePolicy
        self.retryBackoff = retryBackoff
    }

    /// Whether nothing more will come: there are partitions, and each ended.
    var isOver: Bool { !partitions.isEmpty && partitions.values.allSatisfy { $0.phase == .ended } }

    /// Reads a partition from now on, from and up to these places.
    mutating func assign(_ partition: TopicPartition, from: OffsetSpec, to: OffsetSpec?) {
        nextGeneration += 1
        let backoff = Backoff(firstMilliseconds: retryBackoff.lowerBound, mostMilliseconds: retryBackoff.upperBound)
        partitions[partition] = Partition(
            generation: nextGeneration, phase: .unresolved, from: from, to: to, backoff: backoff)
        if case .offset(let start) = from, to == nil { begin(partition, at: start, until: nil) }
    }

    /// Goes on elsewhere; the end stays as it was. False if the partition is not assigned.
    mutating func seek(_ partition: TopicPartition, to spec: OffsetSpec) -> Bool {
        guard let before = partitions[partition] else { return false }
        let end = before.until.map(OffsetSpec.offset) ?? before.to
        assign(partition, from: spec, to: end)
        partitions[partition]?.highWatermark = before.highWatermark
        return true
    }

    /// Does not read a partition any more.
    mutating func unassign(_ partition: TopicPartition) { partitions[partition] = nil }

    /// Looked-up offsets of a partition.
    mutating func resolved(_ lookup: Lookup, from: Int64, until: Int64?) {
        guard partitions[lookup.partition]?.generation == lookup.generation else { return }
        begin(lookup.partition, at: from, until: until)
    }

    /// Offsets could not be looked up; they are tried again after a wait, unless that is no use.
    mutating func unresolvable(_ lookup: Lookup, isRetriable: Bool, now: Int64, random: UInt64) {
        guard partitions[lookup.partition]?.generation == lookup.generation else { return }
        partitions[lookup.partition]?.phase = isRetriable ? .unresolved : .failed
        delay(lookup.partition, now: now, random: random)
    }

    /// Takes what is to be done now. `buffered` is the number of bytes that wait for the reader.
    mutating func due(now: Int64, buffered: Int, leaders: Leaders) -> Due {
        var due = Due()
        rotation += 1
        let names = partitions.keys.sorted()
        for place in names.indices {
            let name = names[(place + rotation) % names.count]
            guard let partition = partitions[name] else { continue }
            if partition.notBefore > now {
                due.wakeAt = min(due.wakeAt ?? .max, partition.notBefore)
                continue
            }
            switch partition.phase {
            case .unresolved:
                partitions[name]?.phase = .resolving
                due.lookups.append(
                    Lookup(
                        partition: name, generation: partition.generation, from: partition.from, to: partition.to))
            case .fetching where buffered < prefetchBytes && !partition.isInFlight:
                add(name, partition, leaders, &due)
            case .resolving, .fetching, .ended, .failed: break
            }
        }
        for (broker, entries) in due.fetches {
            busyBrokers.insert(broker)
            for entry in entries { partitions[entry.partition]?.isInFlight = true }
        }
        return due
    }

    /// A request is over, with or without an answer; each of its entries is settled by a call of its own.
    mutating func requestEnded(broker: Int32) { busyBrokers.remove(broker) }

    /// The reader took everything before `offset`.
    mutating func consumed(_ partition: TopicPartition, upTo offset: Int64) {
        partitions[partition]?.position = offset
    }

    private mutating func add(_ name: TopicPartition, _ partition: Partition, _ leaders: Leaders, _ due: inout Due) {
        guard let broker = leaders.broker(of: name.partition, in: name.topic) else {
            due.leaderless.insert(name.topic)
            return
        }
        guard leaders.connected.contains(broker) else {
            due.unconnected.insert(broker)
            return
        }
        guard !busyBrokers.contains(broker) else { return }
        due.fetches[broker, default: []].append(
            Entry(partition: name, offset: partition.next, generation: partition.generation))
    }

    private mutating func begin(_ name: TopicPartition, at offset: Int64, until: Int64?) {
        partitions[name]?.next = offset
        partitions[name]?.until = until
        partitions[name]?.position = offset
        partitions[name]?.phase = until.map { offset >= $0 } ?? false ? .ended : .fetching
    }

    private mutating func delay(_ name: TopicPartition, now: Int64, random: UInt64) {
        let wait = partitions[name]?.backoff.failed(random: random) ?? 0
        partitions[name]?.notBefore = now + wait
    }
}

extension FetchState {
    /// What a broker, or the loss of a connection, said about one partition of a request.
    enum Outcome: Sendable, Equatable {
        /// Batches up to, and not including, `next`; or none, then `next` is the offset that was asked for.
        case records(next: Int64)
        case outOfRange
        case retriable
        case refused
    }

    /// What becomes of it.
    enum Verdict: Sendable, Equatable {
        /// The reader gets what came.
        case deliver
        /// Nothing: the question was of an older generation, or there is nothing to hand over.
        case drop
        /// The offsets are looked up again.
        case reset
        /// The reader is told.
        case fail
    }

    /// Settles one entry of a request.
    mutating func settle(_ entry: Entry, _ outcome: Outcome, now: Int64, random: UInt64) -> Verdict {
        let name = entry.partition
        guard var partition = partitions[name], partition.generation == entry.generation else { return .drop }
        partition.isInFlight = false
        defer { partitions[name] = partition }
        switch outcome {
        case .records(let next):
            partition.backoff.succeeded()
            let hasRecords = next > partition.next
            partition.next = max(next, partition.next)
            if let until = partition.until, partition.next >= until { partition.phase = .ended }
            return hasRecords ? .deliver : .drop
        case .retriable:
            partition.notBefore = now + partition.backoff.failed(random: random)
            return .drop
        case .refused:
            partition.phase = .failed
            return .fail
        case .outOfRange:
            partition.to = partition.until.map(OffsetSpec.offset) ?? partition.to
            partition.notBefore = now + partition.backoff.failed(random: random)
            partition.phase = .unresolved
            switch outOfRangePolicy {
            case .earliest: partition.from = .earliest
            case .latest: partition.from = .latest
            case .fail:
                partition.phase = .failed
                return .fail
            }
            return .reset
        }
    }

    /// What the broker told about the partition's ends.
    mutating func learn(
        _ name: TopicPartition, highWatermark: Int64, lastStableOffset: Int64, logStartOffset: Int64
    ) {
        if highWatermark >= 0 { partitions[name]?.highWatermark = highWatermark }
        if lastStableOffset >= 0 { partitions[name]?.lastStableOffset = lastStableOffset }
        if logStartOffset >= 0 { partitions[name]?.logStartOffset = logStartOffset }
    }
}
