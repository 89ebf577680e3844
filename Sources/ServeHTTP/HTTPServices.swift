public import Ingest
public import Query
import Synchronization

/// What the routes serve. The listener starts before the log is recovered; what is not there yet is answered with 503.
public final class HTTPServices: Sendable {
    private let state = Mutex<Ingest?>(nil)
    private let service = Mutex<InfluxQLService?>(nil)
    private let lines = Mutex<LogQLService?>(nil)

    /// Services of which none is there yet.
    public init() {}

    /// The way in for lines; nil until it is there.
    public var ingest: Ingest? { state.withLock { $0 } }

    /// The log is recovered: lines are taken from now on.
    public func begin(ingest: Ingest) { state.withLock { $0 = ingest } }

    /// What answers queries; nil until it is there.
    public var queries: InfluxQLService? { service.withLock { $0 } }

    /// The views are open: queries are answered from now on.
    public func begin(queries: InfluxQLService) { service.withLock { $0 = queries } }

    /// What answers queries of lines; nil until it is there.
    public var logs: LogQLService? { lines.withLock { $0 } }

    /// The views are open: queries of lines are answered from now on.
    public func begin(logs: LogQLService) { lines.withLock { $0 = logs } }

    /// The server is stopping: nothing is taken any more.
    public func end() {
        state.withLock { $0 = nil }
        service.withLock { $0 = nil }
        lines.withLock { $0 = nil }
    }
}
