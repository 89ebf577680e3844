import Listening
public import Logging
import NIOCore
public import Query
import Series
import Synchronization

/// Logs slow queries, a line each, whatever their language. A flood of them cannot fill a disk: five lines a second, of
/// some 4 KiB at most; the next line tells how many were left out, and a metric counts all.
public final class SlowQueryLog: Sendable {
    private static let linesPerSecond = 5

    private let logger: Logger
    private let limiter = Mutex(LogLimiter(linesPerSecond: linesPerSecond))

    /// A log that writes to a logger.
    public init(_ logger: Logger) { self.logger = logger }

    /// Logs a query, unless there were too many in this second.
    public func log(_ query: SlowQuery) {
        let now = NIODeadline.now().uptimeNanoseconds
        guard let suppressed = limiter.withLock({ $0.admit(now: now) }) else { return }
        logger.notice("slow query", metadata: Self.fields(query, suppressed: suppressed))
    }

    /// What a line says of a query: docs/queries.md.
    static func fields(_ query: SlowQuery, suppressed: Int) -> Logger.Metadata {
        let cost = query.cost
        var fields: Logger.Metadata = [
            "language": "\(query.language.rawValue)", "database": "\(query.database)", "statement": "\(query.text)",
            "outcome": "\(query.outcome.rawValue)", "ms": "\(milliseconds(cost.nanoseconds))",
            "cpu-ms": "\(milliseconds(cost.cpuNanoseconds))", "waited-ms": "\(milliseconds(cost.waitedNanoseconds))",
            "series": "\(cost.series)", "points": "\(cost.points)", "rows": "\(cost.rows)",
            "bytes": "\(cost.scan.bytes)", "peak-bytes": "\(cost.peakBytes)", "suppressed": "\(suppressed)",
        ]
        if !query.plan.isEmpty {
            fields["plan"] = "\(query.plan)"
            fields["pages"] = "\(cost.scan.pagesRead)"
            fields["pages-summarised"] = "\(cost.scan.pagesSummarised)"
            fields["pages-skipped"] = "\(cost.scan.pagesSkipped)"
            fields["blocks"] = "\(cost.blocks)"
            fields["blocks-skipped"] = "\(cost.blocksSkipped)"
            fields["parts"] = "\(cost.parts)"
            fields["threads"] = "\(cost.threads)"
        }
        if let bound = query.bound { fields["bound"] = "\(bound.rawValue)" }
        if let error = query.error { fields["error"] = "\(error)" }
        return fields
    }

    /// With three digits behind the point.
    private static func milliseconds(_ nanoseconds: UInt64) -> String {
        let fraction = String(nanoseconds / 1_000 % 1_000)
        return "\(nanoseconds / 1_000_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
