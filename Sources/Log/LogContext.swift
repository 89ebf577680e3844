import Machine

/// What every partition of a log shares.
struct LogContext: Sendable {
    let machine: Machine
    let settings: LogSettings
    /// The data directory.
    let directory: String
    let segments: SegmentContext
    let commits: CommitQueue
    let producers: ProducerBudget
    let disk: DiskSpace
    let statistics = LogStatistics()
    let report: @Sendable (LogEvent) -> Void

    var files: any FileSystem { machine.files }

    /// Milliseconds of the clock that does not jump.
    func monotonicMilliseconds() -> Int64 {
        Int64(machine.clock.monotonicNanoseconds() / 1_000_000)
    }
}
