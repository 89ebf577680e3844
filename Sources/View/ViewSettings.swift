/// The bounds of views. Each says what happens at it.
public struct ViewSettings: Sendable, Equatable {
    /// Log bytes in a head from which on it is cut: frozen, and written into blocks. Default 64 MiB: what a start
    /// replays at most, and what an unwritten head takes of the log.
    public var cutBytes: Int64 = 64 << 20
    /// The age at which a head is cut, in milliseconds. Default 15 minutes.
    public var cutMilliseconds: Int64 = 900_000
    /// The memory of a head from which on it is cut, in bytes. At twice as much, while the one before is still being
    /// written, the view applies nothing until that is done. Default 256 MiB.
    public var headBytes = 256 << 20
    /// Log bytes of a partition that no manifest covers. At half of it the log tells an operator; at all of it appends
    /// are refused with an error that clients retry, until the view has caught up. Default 1 GiB.
    public var holdBytes: Int64 = 1 << 30
    /// The most that is read of the log at once, in bytes; a larger batch is read whole. Default 1 MiB.
    public var readBytes = 1 << 20
    /// The most that a batch's records may take uncompressed, in bytes; a larger one is rejected. Default 64 MiB.
    public var decompressionBytes = 64 << 20
    /// Threads that apply records, for all partitions together. Default 2.
    public var applyThreads = 2
    /// How long a failed write, commit, read or compaction waits for its next attempt, in milliseconds. Default 1 s.
    public var retryMilliseconds: Int64 = 1_000
    /// How often a view without new blocks looks for something to compact or to expire, in milliseconds. Default 10 s.
    public var compactionMilliseconds: Int64 = 10_000
    /// Rejections that are kept of each partition for writers that wait for their outcome; the oldest go first, and
    /// whoever asks for them later is told that some are missing. Default 16,384.
    public var keptRejections = 16_384
    /// Writers that wait for one partition's view; beyond it waiting fails with `.limitReached`. Default 65,536.
    public var maximumWaiters = 65_536
    /// Records per second that one topic's rejections may write to `rejected.<topic>`; what is beyond is counted only.
    /// Default 1,000.
    public var rejectedPerSecond = 1_000
    /// What `rejected.<topic>` keeps, in bytes; the oldest go first. Default 64 MiB.
    public var rejectedBytes: Int64 = 64 << 20

    /// The defaults.
    public init() {}
}
