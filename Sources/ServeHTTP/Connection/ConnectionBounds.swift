import Instruments
import Listening
import Logging
import NIOCore
import Synchronization

/// What all connections share: the bounds, the table of places, and what is counted and logged.
final class ConnectionBounds: Sendable {
    let settings: HTTPServerSettings
    let table: ConnectionTable
    let connections: Gauge
    private let closed: [ConnectionState.CloseReason: Counter]
    private let logger: Logger
    private let limiter = Mutex(LogLimiter(linesPerSecond: 1))

    init(settings: HTTPServerSettings, instruments: InstrumentRegistry, logger: Logger) {
        self.settings = settings
        self.logger = logger
        table = ConnectionTable(maximum: settings.maximumConnections)
        connections = instruments.gauge("millrace_http_connections", help: "Open HTTP connections.")
        closed = ConnectionState.CloseReason.allCases.reduce(into: [:]) { counters, reason in
            counters[reason] = instruments.counter(
                "millrace_http_connections_closed_total", help: "HTTP connections that the server closed, by reason.",
                labels: [Label("reason", reason.rawValue)])
        }
    }

    /// Counts that a connection is closed. What clients do is told by the counter alone; that places are short
    /// concerns the operator.
    func count(_ reason: ConnectionState.CloseReason) {
        closed[reason]?.add()
        guard reason == .evicted || reason == .tooManyConnections else { return }
        let now = NIODeadline.now().uptimeNanoseconds
        guard let suppressed = limiter.withLock({ $0.admit(now: now) }) else { return }
        logger.warning(
            "HTTP connections are at their bound",
            metadata: [
                "open": "\(settings.maximumConnections)", "closed": "\(reason.rawValue)",
                "suppressed": "\(suppressed)",
            ])
    }
}
