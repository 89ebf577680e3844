public import Instruments

/// Figures for whoever watches the log. Reading them costs no I/O.
extension CommitLog {
    /// How long the syncs of each round of group commit took, in nanoseconds.
    public var syncLatency: HistogramSnapshot { flusher.latency.snapshot() }
    /// Rounds of group commit.
    public var syncRounds: UInt64 { flusher.rounds.value }
    /// Rounds that went through the sync journal, in whole or in part.
    public var journalRounds: UInt64 { flusher.journalRounds.value }
    /// Requests that waited for a round: divided by `syncRounds`, how much a sync is shared.
    public var syncRequests: UInt64 { flusher.requests.value }
    /// Requests that wait for the next round now; those of the round that runs are not among them.
    public var waitingSyncRequests: Int { context.commits.waitingRequests }
    /// Partitions that wait for a sync now.
    public var dirtyPartitions: Int { context.commits.count }
    /// Idempotent producers that are remembered, each counted in every partition that it writes to.
    public var rememberedProducers: Int { context.producers.count }
    /// Idempotent producers that were forgotten because of `LogSettings.maximumProducers`.
    public var forgottenProducers: Int { context.producers.forgottenCount }
    /// Segments with an open descriptor.
    public var openSegments: Int { context.segments.open.count }
    /// What was removed and refused since the process began.
    public var statistics: LogStatistics { context.statistics }
    /// Partitions that take no appends, because a sync or a write failed or stored bytes do not verify.
    public var fencedPartitions: Int {
        registry.topics.reduce(0) { $0 + $1.partitions.count { $0.fenceReason != nil } }
    }
}
