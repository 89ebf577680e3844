/// Which fetch sessions there are, and which one makes room for another: a value without locks, clock or randomness.
///
/// The rules are those of Kafka 4.3's session cache: a session that was not used for two minutes makes room for any
/// other; one that is two minutes old makes room for a larger one. Those that are kept save the most. Kafka bounds the
/// number of sessions only; here the sum of their partitions is bounded too, for which only unused ones make room.
struct FetchSessionTable<Session> {
    private struct Row {
        let session: Session
        let createdAt: Int64
        var lastUsedAt: Int64
        var partitions: Int

        /// Whether it has shown that it stays: its client came back after two minutes.
        var isMature: Bool { lastUsedAt - createdAt > evictionMilliseconds }
    }

    /// The bounds.
    let maximumSessions: Int
    let maximumPartitions: Int
    /// Partitions of all sessions.
    private(set) var partitions = 0
    private var rows: [Int32: Row] = [:]
    /// Nothing is stale before this time, and no mature session is smaller than this: so that a full table is searched
    /// only if it can find something.
    private var nothingStaleBefore = Int64.min
    private var smallestMature = Int.max

    init(maximumSessions: Int, maximumPartitions: Int) {
        self.maximumSessions = maximumSessions
        self.maximumPartitions = maximumPartitions
    }

    /// The number of sessions.
    var count: Int { rows.count }

    /// A session by its id.
    subscript(id: Int32) -> Session? { rows[id]?.session }

    /// Makes room for a session with this many partitions.
    ///
    /// - Returns: whether there is room now, and how many sessions had to go.
    mutating func makeRoom(forPartitions size: Int, now: Int64) -> (hasRoom: Bool, evicted: Int) {
        var evicted = 0
        while count >= maximumSessions || partitions + size > maximumPartitions {
            guard let victim = victim(for: size, now) else { return (false, evicted) }
            remove(victim)
            evicted += 1
        }
        return (true, evicted)
    }

    /// Adds a session for which `makeRoom` has made room. The id must be free.
    mutating func insert(_ session: Session, id: Int32, partitions size: Int, now: Int64) {
        let row = Row(session: session, createdAt: now, lastUsedAt: now, partitions: size)
        let known = rows.updateValue(row, forKey: id)
        precondition(known == nil, "a session id was given twice")
        partitions += size
    }

    /// Notes that a session is used, and how large it is now.
    ///
    /// - Returns: whether its partitions fit, and how many other sessions had to go. If they do not fit, it has gone.
    mutating func touch(_ id: Int32, partitions size: Int, now: Int64) -> (fits: Bool, evicted: Int) {
        guard var row = rows[id] else { return (true, 0) }
        partitions += size - row.partitions
        row.partitions = size
        row.lastUsedAt = now
        rows[id] = row
        if row.isMature { smallestMature = min(smallestMature, size) }
        var evicted = 0
        while partitions > maximumPartitions {
            guard let victim = stale(now) else {
                remove(id)
                return (false, evicted)
            }
            remove(victim)
            evicted += 1
        }
        return (true, evicted)
    }

    /// Ends a session, if there is one with this id.
    mutating func remove(_ id: Int32) {
        if let row = rows.removeValue(forKey: id) { partitions -= row.partitions }
    }

    private mutating func victim(for size: Int, _ now: Int64) -> Int32? {
        if let stale = stale(now) { return stale }
        guard count >= maximumSessions, size > smallestMature else { return nil }
        let smallest = rows.lazy.filter(\.value.isMature).min {
            ($0.value.partitions, $0.key) < ($1.value.partitions, $1.key)
        }
        smallestMature = smallest?.value.partitions ?? .max
        guard let smallest, size > smallest.value.partitions,
            partitions - smallest.value.partitions + size <= maximumPartitions
        else { return nil }
        return smallest.key
    }

    private mutating func stale(_ now: Int64) -> Int32? {
        guard now > nothingStaleBefore else { return nil }
        guard let oldest = rows.min(by: { $0.value.lastUsedAt < $1.value.lastUsedAt }) else { return nil }
        nothingStaleBefore = oldest.value.lastUsedAt + evictionMilliseconds
        return now > nothingStaleBefore ? oldest.key : nil
    }
}

/// Kafka's `MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS`.
private let evictionMilliseconds: Int64 = 120_000
