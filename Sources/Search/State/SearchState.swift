/// What a view of one partition knows besides lines: a function of the log up to an offset, kept in the manifest.
struct SearchState: Sendable {
    var limits = SearchLimits()
    var retention = RetentionRules()
    /// In the order of the log; those whose work is done are gone.
    var deletions: [Deletion] = []
    var streams = ActiveStreams()
    /// The number of the next cut.
    var nextCut: Int64 = 1
}
