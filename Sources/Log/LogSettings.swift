/// The bounds and intervals of a commit log. Every bound has a named answer, given at the field.
public struct LogSettings: Sendable {
    /// This broker's id. Default 1.
    public var nodeID: Int32 = 1
    /// The configs of topics that set none themselves.
    public var topicDefaults = TopicConfiguration()
    /// Where those were set, by the topic config's name, strongest first: for descriptions only. What is not in it and
    /// is not the built-in default was set when the broker was started. Default empty.
    public var topicDefaultPlaces: [String: [ConfigDescription.Setting]] = [:]
    /// The most partitions of one topic; beyond it creation fails with `.limitReached`. Default 10,000.
    public var maximumPartitionsPerTopic: Int32 = 10_000
    /// The most partitions in total; beyond it creation fails with `.limitReached`. Default 100,000.
    public var maximumPartitions = 100_000
    /// How many segments have a descriptor and maps open at the same time; the least recently used is closed
    /// first. Slices that are being sent and unsynced files stay open beyond it. Default 4,096: fewer than the
    /// partitions written to would open and close a file per append, 25 µs each.
    public var maximumOpenSegments = 4_096
    /// Idempotent producers remembered per partition; beyond it the one that was idle longest is forgotten (its
    /// next batch is accepted with any sequence number). Default 4,096, about 1 MB.
    public var maximumProducersPerPartition = 4_096
    /// Idempotent producers remembered in total; whoever writes to several partitions counts in each. Beyond it a
    /// partition that meets a new one forgets the one of its own that was idle longest, and every checkpoint, from 15/16
    /// on, those that were idle longest anywhere go until 7/8 is left. Whoever is forgotten may go on with any sequence
    /// number, but a repetition of its last batches is stored again. A partition always keeps the newest, so there are at
    /// most as many more as partitions. Default 500,000, about 125 MB.
    public var maximumProducers = 500_000
    /// How long an idle idempotent producer is remembered, in milliseconds. Default one day, as Kafka.
    public var producerExpirationMilliseconds: Int64 = 86_400_000
    /// Waiters for a sync on one partition; beyond it appends with `.now` fail with `.overloaded`. Default 65,536.
    public var maximumSyncWaitersPerPartition = 65_536
    /// Waiters for data on one partition; beyond it `notifyWhenReadable` fails with `.overloaded`. Default 10,000.
    public var maximumReadWaitersPerPartition = 10_000
    /// Threads that sync files side by side. Default 4: more gained nothing on an SSD with ext4.
    public var flusherThreads = 4
    /// The size of each of the two files of the sync journal, in bytes; 0 goes without (docs/decisions/012). Rounds
    /// that find no room are synced without it. Default 16 MiB: 70,000 small requests, and a redo within a second. At
    /// most 256 MiB: a start reads them whole. Both files are created by the first round that wants them.
    public var journalBytes: Int64 = 16 << 20
    /// Partitions that somebody waits for, from which on a round goes through the journal. Default 16: there `syncfs` costs 0.19 ms, one
    /// file 0.13 ms.
    public var journalMinimumPartitions = 16
    /// The most that one round puts into the journal, in bytes; larger ones are synced without. Default 1 MiB, which
    /// costs as much as the `syncfs` of 50 files: writing bytes twice pays only while they are few.
    public var journalRoundBytes = 1 << 20
    /// Time between checkpoints of the recovery points, in milliseconds. Default 10 s: what an unclean start has
    /// to verify is at most what was appended in this time.
    public var checkpointIntervalMilliseconds: Int64 = 10_000
    /// Time between passes of retention, in milliseconds. Default 5 minutes, as Kafka.
    public var retentionIntervalMilliseconds: Int64 = 300_000
    /// The bytes of the disk to be kept free: with less, appends fail with `.noSpace`, while reads, deletes and retention
    /// go on, and so do the commits of consumer groups. Default nil: a twentieth of the disk, at most 1 GiB. 0: none.
    public var diskReserveBytes: Int64?
    /// Time between two looks at how full the disk is, in milliseconds. Default one second: at 1 GB/s no more than the
    /// default reserve is written meanwhile.
    public var diskCheckIntervalMilliseconds: Int64 = 1_000
    /// Time between passes of retention by share of the disk, in milliseconds. Default 10 s.
    public var diskShareIntervalMilliseconds: Int64 = 10_000
    /// Log bytes between producer-state snapshots; bounds what a start replays. Default 64 MiB. Closing takes one
    /// after 256 KiB already.
    public var snapshotIntervalBytes: Int64 = 64 << 20

    /// The defaults.
    public init() {}

    /// The configs of a topic that sets `configs` itself, with their sources and documentation, sorted by name.
    public func describeConfigs(settingOnTopic configs: [String: String]) -> [ConfigDescription] {
        topicDefaults.describe(settingOnTopic: configs, places: topicDefaultPlaces)
    }
}
