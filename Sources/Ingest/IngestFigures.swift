import Instruments

/// What is counted of writes.
final class IngestFigures: Sendable {
    /// How a request ended.
    enum Ending: String, CaseIterable {
        case written
        case refused
        case databaseNotFound = "database-not-found"
        case retentionPolicyNotFound = "retention-policy-not-found"
        case busy
        case failed
    }

    let bytes: Counter
    private let points: Counter
    private let unreadable: Counter
    private let dropped: Counter
    private let requests: [Ending: Counter]

    init(_ instruments: InstrumentRegistry, _ budget: WriteBudget) {
        bytes = instruments.counter("millrace_ingest_bytes_total", help: "Bytes of lines that came in, uncompressed.")
        points = instruments.counter("millrace_ingest_points_total", help: "Points that were written.")
        func refused(_ reason: String) -> Counter {
            instruments.counter(
                "millrace_ingest_points_refused_total", help: "Lines that were refused, by reason.",
                labels: [Label("reason", reason)])
        }
        unreadable = refused("unreadable")
        dropped = refused("dropped")
        requests = Ending.allCases.reduce(into: [:]) { counters, ending in
            counters[ending] = instruments.counter(
                "millrace_ingest_requests_total", help: "Requests to write lines, by how they ended.",
                labels: [Label("outcome", ending.rawValue)])
        }
        instruments.addCollector { writer in
            writer.family(
                "millrace_ingest_in_flight_bytes", help: "Bytes of requests that are being written.", kind: .gauge)
            writer.sample(budget.total)
        }
    }

    func count(_ ending: Ending) { requests[ending]?.add() }

    func count(_ outcome: WriteOutcome) {
        switch outcome {
        case .written(let count):
            self.count(Ending.written)
            points.add(UInt64(count))
        case .refused(let refusal):
            self.count(Ending.refused)
            points.add(UInt64(refusal.written))
            unreadable.add(UInt64(refusal.unreadable))
            dropped.add(UInt64(refusal.dropped))
        case .databaseNotFound: self.count(Ending.databaseNotFound)
        case .retentionPolicyNotFound: self.count(Ending.retentionPolicyNotFound)
        case .busy: self.count(Ending.busy)
        case .failed: self.count(Ending.failed)
        }
    }
}
