import Instruments

/// What is counted of pushes of lines.
final class LineFigures: Sendable {
    /// How a push ended.
    enum Ending: String, CaseIterable {
        case written
        case refused
        case tenantRefused = "tenant-refused"
        case busy
        case failed
    }

    let bytes: Counter
    private let lines: Counter
    private let refused: Counter
    private let pushes: [Ending: Counter]

    init(_ instruments: InstrumentRegistry) {
        bytes = instruments.counter(
            "millrace_ingest_log_bytes_total", help: "Bytes of log lines and their metadata that came in, uncompressed."
        )
        lines = instruments.counter("millrace_ingest_log_lines_total", help: "Log lines that were written.")
        refused = instruments.counter("millrace_ingest_log_lines_refused_total", help: "Log lines that were refused.")
        pushes = Ending.allCases.reduce(into: [:]) { counters, ending in
            counters[ending] = instruments.counter(
                "millrace_ingest_log_pushes_total", help: "Pushes of log lines, by how they ended.",
                labels: [Label("outcome", ending.rawValue)])
        }
    }

    func count(_ ending: Ending) { pushes[ending]?.add() }

    func count(_ outcome: PushOutcome) {
        switch outcome {
        case .written(let count):
            self.count(Ending.written)
            lines.add(UInt64(count))
        case .refused(let refusal):
            self.count(Ending.refused)
            lines.add(UInt64(max(0, refusal.written)))
            refused.add(UInt64(refusal.refused))
        case .tenantRefused: self.count(Ending.tenantRefused)
        case .busy: self.count(Ending.busy)
        case .failed: self.count(Ending.failed)
        }
    }
}
