public import Instruments

extension CommitLog {
    /// How long the syncs of each round of group commit took, in nanoseconds.
    public var syncLatency: HistogramSnapshot { flusher.latency.snapshot() }
}
