import Instruments

/// What is counted of fetch sessions.
struct FetchSessionInstruments: Sendable {
    private let sessions: Gauge
    private let partitions: Gauge
    /// Sessions that made room for another.
    let evicted: Counter
    /// Sessions for which there was no room.
    let refused: Counter

    init(_ registry: InstrumentRegistry) {
        sessions = registry.gauge("millrace_fetch_sessions", help: "Fetch sessions.")
        partitions = registry.gauge("millrace_fetch_session_partitions", help: "Partitions of all fetch sessions.")
        evicted = registry.counter(
            "millrace_fetch_sessions_evicted_total", help: "Fetch sessions that made room for others.")
        refused = registry.counter(
            "millrace_fetch_sessions_refused_total", help: "Fetch sessions for which there was no room.")
    }

    /// Fetch requests that went on with a session.
    static func incrementalFetches(_ registry: InstrumentRegistry) -> Counter {
        registry.counter(
            "millrace_fetch_incremental_total", help: "Fetch requests that named only what changed in their session.")
    }

    /// Shows how much there is.
    func show(sessions: Int, partitions: Int) {
        self.sessions.set(Int64(sessions))
        self.partitions.set(Int64(partitions))
    }
}
