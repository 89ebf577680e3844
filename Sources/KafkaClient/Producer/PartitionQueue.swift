/// Under which name a producer numbers its batches (KIP-98).
struct ProducerIdentity: Sendable, Hashable {
    let id: Int64
    let epoch: Int16

    /// What a producer that does not number its batches writes.
    static let none = ProducerIdentity(id: -1, epoch: -1)
}

/// The complete batches of one partition that are not acknowledged yet, in order, as a pure value: which may be sent
/// now, under which sequence number, and what an answer means.
///
/// The rules that keep the order and write nothing twice:
/// - At most `limit` batches bear a number and are unresolved: a broker remembers the last five.
/// - A batch keeps its number when it is repeated, and only the oldest unresolved batch is repeated; nothing new is
///   sent while a repetition waits or is under way.
/// - A broker that rejects the number of the oldest unresolved batch has written neither that batch nor any behind it
///   (it lost its memory of us, or an earlier batch failed for good). Then all are numbered anew from 0 under the
///   next epoch (KIP-360), once none is under way.
/// - The parts of a batch that was too large share its numbers and go out like repetitions, so that those behind it,
///   which the broker has rejected, need no new ones.
/// - A new identity takes effect in a partition only when no numbered batch is unresolved there.
struct PartitionQueue: Sendable {
    struct Batch: Sendable, Equatable {
        let id: Int
        let recordCount: Int32
        /// When it fails for good, in milliseconds of the driver's clock.
        let deadline: Int64
        /// Whether its bytes are ready: compression happens outside of the producer's lock.
        var isReady: Bool
        var sequence: Int32?
        var isInFlight = false
        var attempts = 0
    }

    /// A batch to send, with what is to be written into it.
    struct Sending: Sendable, Equatable {
        let id: Int
        let identity: ProducerIdentity
        let sequence: Int32
    }

    /// What a broker, or the loss of a connection, said about a batch.
    enum Outcome: Sendable, Equatable {
        /// It is written, now or by an earlier attempt.
        case written
        /// It may be tried again.
        case retriable
        /// Its sequence number or epoch does not fit.
        case sequenceRejected
        /// It exceeds what the broker takes.
        case tooLarge
        /// It will never be written.
        case rejected
    }

    /// What becomes of it.
    enum Verdict: Sendable, Equatable {
        case succeeded
        case failed
        /// It stays in the queue and is sent again.
        case again
        /// It holds its place until `split` puts smaller ones there.
        case split
        /// It had been given up before the answer came.
        case unknown
    }

    let limit: Int
    let isIdempotent: Bool
    private(set) var batches: [Batch] = []
    private(set) var identity = ProducerIdentity.none
    private(set) var nextSequence: Int32 = 0
    private var needsReset = false
    private var notBefore: Int64 = 0
    private var backoff: Backoff

    init(limit: Int, isIdempotent: Bool, backoff: Backoff) {
        self.limit = limit
        self.isIdempotent = isIdempotent
        self.backoff = backoff
    }

    var isEmpty: Bool { batches.isEmpty }

    /// Whether the current identity is used up here: the producer must ask for the next epoch before this partition
    /// can go on.
    func needsNewIdentity(current: ProducerIdentity) -> Bool {
        needsReset && identity == current && !batches.contains { $0.isInFlight }
    }

    /// A batch is complete.
    mutating func enqueue(id: Int, recordCount: Int32, deadline: Int64, isReady: Bool) {
        batches.append(Batch(id: id, recordCount: recordCount, deadline: deadline, isReady: isReady))
    }

    /// The bytes of a batch are ready.
    mutating func ready(id: Int) {
        if let index = batches.firstIndex(where: { $0.id == id }) { batches[index].isReady = true }
    }

    /// The batch that `send` would send now, if any.
    func peek(identity current: ProducerIdentity, now: Int64) -> Int? {
        guard let index = candidate(now: now), index < limit else { return nil }
        if needsReset, identity == current || batches.contains(where: { $0.isInFlight }) { return nil }
        return batches[index].id
    }

    /// Takes the next batch that may be sent now, numbers it and marks it as under way.
    mutating func send(identity current: ProducerIdentity, now: Int64) -> Sending? {
        guard peek(identity: current, now: now) != nil, let index = candidate(now: now) else { return nil }
        adopt(current)
        batches[index].isInFlight = true
        batches[index].attempts += 1
        guard isIdempotent else { return Sending(id: batches[index].id, identity: .none, sequence: -1) }
        let sequence = batches[index].sequence ?? number(index)
        return Sending(id: batches[index].id, identity: identity, sequence: sequence)
    }

    /// An answer came for a batch that is under way. `random` spreads the wait before a repetition.
    mutating func resolve(id: Int, _ outcome: Outcome, now: Int64, random: UInt64) -> Verdict {
        guard let index = batches.firstIndex(where: { $0.id == id }), batches[index].isInFlight else {
            return .unknown
        }
        batches[index].isInFlight = false
        switch outcome {
        case .written:
            batches.remove(at: index)
            backoff.succeeded()
            return .succeeded
        case .rejected:
            batches.remove(at: index)
            return .failed
        case .tooLarge:
            guard batches[index].recordCount > 1 else {
                batches.remove(at: index)
                return .failed
            }
            batches[index].isReady = false
            return .split
        case .retriable:
            notBefore = max(notBefore, now + backoff.failed(random: random))
            return .again
        case .sequenceRejected:
            guard isIdempotent else {
                batches.remove(at: index)
                return .failed
            }
            if index == 0 { needsReset = true }
            return .again
        }
    }

    /// Gives up every batch whose deadline passed, under way or not, and returns them.
    mutating func expire(now: Int64) -> [Batch] {
        guard batches.contains(where: { $0.deadline <= now }) else { return [] }
        let expired = batches.filter { $0.deadline <= now }
        batches.removeAll { $0.deadline <= now }
        return expired
    }

    /// Puts smaller batches in the place of one that was too large. They are ready, and begin with its number.
    mutating func split(id: Int, into parts: [(id: Int, recordCount: Int32)]) {
        guard let index = batches.firstIndex(where: { $0.id == id }) else { return }
        let whole = batches[index]
        var sequence = whole.sequence
        let replacement = parts.map { part in
            defer { sequence = sequence.map { Self.sequence($0, after: part.recordCount) } }
            return Batch(
                id: part.id, recordCount: part.recordCount, deadline: whole.deadline, isReady: true,
                sequence: sequence, attempts: whole.attempts)
        }
        batches.replaceSubrange(index...index, with: replacement)
    }

    /// Gives up a batch that was never sent.
    mutating func remove(id: Int) { batches.removeAll { $0.id == id } }

    /// Gives up everything, because the producer closes.
    mutating func removeAll() -> [Batch] {
        defer { batches = [] }
        return batches
    }

    /// When something changes by the passing of time alone: a wait ends or a deadline passes.
    func nextEvent(now: Int64) -> Int64? {
        guard let deadline = batches.lazy.map(\.deadline).min() else { return nil }
        return notBefore > now ? min(notBefore, deadline) : deadline
    }

    /// The batch that is next in order, if the rules let it go now.
    private func candidate(now: Int64) -> Int? {
        guard notBefore <= now, let index = batches.firstIndex(where: { !$0.isInFlight }) else { return nil }
        guard batches[index].isReady else { return nil }
        if batches[index].attempts > 0 { return index == 0 ? index : nil }
        let oneIsWaiting = batches.contains { !$0.isInFlight && $0.attempts > 0 }
        let oneIsRepeated = batches[..<index].contains { $0.attempts > 1 }
        return oneIsWaiting || oneIsRepeated ? nil : index
    }

    private mutating func adopt(_ current: ProducerIdentity) {
        guard isIdempotent, identity != current else { return }
        guard needsReset || !batches.contains(where: { $0.sequence != nil }) else { return }
        identity = current
        nextSequence = 0
        needsReset = false
        for index in batches.indices {
            batches[index].sequence = nil
            batches[index].attempts = 0
        }
    }

    private mutating func number(_ index: Int) -> Int32 {
        let sequence = nextSequence
        batches[index].sequence = sequence
        nextSequence = Self.sequence(sequence, after: batches[index].recordCount)
        return sequence
    }

    /// Numbers count records and wrap to 0 after 2³¹ − 1.
    private static func sequence(_ first: Int32, after recordCount: Int32) -> Int32 { (first &+ recordCount) & .max }
}
