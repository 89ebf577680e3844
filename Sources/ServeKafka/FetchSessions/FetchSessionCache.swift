import Instruments
import Machine
import Synchronization

/// A fetch session as connections share it: a client may go on with it on another connection.
final class FetchSessionHandle: Sendable {
    let id: Int32
    private let session: Mutex<FetchSession>

    fileprivate init(id: Int32, usesTopicIDs: Bool) {
        self.id = id
        session = Mutex(FetchSession(usesTopicIDs: usesTopicIDs))
    }

    /// Works with the session. Its lock is held while its partitions are read, and is taken before any other.
    func withSession<Result: Sendable>(_ body: (inout FetchSession) -> Result) -> Result {
        session.withLock { body(&$0) }
    }
}

/// The fetch sessions of all connections.
final class FetchSessionCache: Sendable {
    private let table: Mutex<FetchSessionTable<FetchSessionHandle>>
    private let instruments: FetchSessionInstruments
    private let clock: any Clock
    private let randomness: any Randomness

    init(
        _ settings: KafkaServerSettings, _ instruments: FetchSessionInstruments, clock: any Clock,
        randomness: any Randomness
    ) {
        table = Mutex(
            FetchSessionTable(
                maximumSessions: settings.maximumFetchSessions,
                maximumPartitions: settings.maximumFetchSessionPartitions))
        self.instruments = instruments
        self.clock = clock
        self.randomness = randomness
    }

    /// A session by its id.
    func find(_ id: Int32) -> FetchSessionHandle? { table.withLock { $0[id] } }

    /// Makes a session, empty yet.
    ///
    /// - Returns: nil if there is no room for one with this many partitions.
    func create(forPartitions partitions: Int, usesTopicIDs: Bool) -> FetchSessionHandle? {
        let now = milliseconds()
        return table.withLock { table in
            let room = table.makeRoom(forPartitions: partitions, now: now)
            instruments.evicted.add(UInt64(room.evicted))
            guard room.hasRoom else {
                instruments.refused.add()
                return nil
            }
            let handle = FetchSessionHandle(id: freeID(table), usesTopicIDs: usesTopicIDs)
            table.insert(handle, id: handle.id, partitions: partitions, now: now)
            instruments.show(sessions: table.count, partitions: table.partitions)
            return handle
        }
    }

    /// Notes that a session is used, and how large it is now.
    ///
    /// - Returns: false if there is no room for so many partitions; then the session is closed.
    func touch(_ handle: FetchSessionHandle, partitions: Int) -> Bool {
        let now = milliseconds()
        return table.withLock { table in
            let touched = table.touch(handle.id, partitions: partitions, now: now)
            instruments.evicted.add(UInt64(touched.evicted))
            if !touched.fits { instruments.refused.add() }
            instruments.show(sessions: table.count, partitions: table.partitions)
            return touched.fits
        }
    }

    /// Closes a session, if there is one with this id.
    func remove(_ id: Int32) {
        table.withLock { table in
            table.remove(id)
            instruments.show(sessions: table.count, partitions: table.partitions)
        }
    }

    private func milliseconds() -> Int64 { Int64(clock.monotonicNanoseconds() / 1_000_000) }

    /// A random id, so that nobody meets the session of somebody else by counting.
    private func freeID(_ table: FetchSessionTable<FetchSessionHandle>) -> Int32 {
        while true {
            let id = Int32(truncatingIfNeeded: randomness.next() >> 33)
            if id != 0, table[id] == nil { return id }
        }
    }
}
