/// A topic's configs, parsed once. Names and defaults are Kafka's.
public struct TopicConfiguration: Sendable, Equatable {
    /// `retention.ms`: how long records are kept, in milliseconds; -1 for ever. Default 7 days.
    public var retentionMilliseconds: Int64 = 604_800_000
    /// `retention.bytes`: how many bytes a partition keeps; -1 without limit. Default -1.
    public var retentionBytes: Int64 = -1
    /// `millrace.retention.disk.percent`: how much of the disk the topic's partitions may take together, in percent;
    /// beyond it the oldest segments go. Default 0: no such limit.
    public var retentionDiskPercent: Int32 = 0
    /// `segment.bytes`: the size at which a segment is closed. Default 1 GiB.
    public var segmentBytes: Int64 = 1 << 30
    /// `segment.ms`: the age at which a segment is closed by the next append. Default 7 days.
    public var segmentMilliseconds: Int64 = 604_800_000
    /// `max.message.bytes`: the largest batch, in bytes. Default 1,048,588.
    public var maximumMessageBytes: Int32 = 1_048_588
    /// `message.timestamp.type`: true if the broker sets the time (LogAppendTime). Default false (CreateTime).
    public var logAppendTime = false
    /// `flush.ms`: how long a record that nobody waits for may stay unsynced, in milliseconds. Default 25.
    public var flushMilliseconds: Int64 = 25
    /// `index.interval.bytes`: log bytes between two entries of the offset index. Default 4,096.
    public var indexIntervalBytes: Int32 = 4_096
    /// `message.timestamp.after.max.ms`: how far in the future a timestamp may lie. Default one hour, as Kafka.
    public var timestampAfterMaximumMilliseconds: Int64 = 3_600_000

    /// `millrace.view`: the view that is made of the topic. Default none.
    public var view = TopicView.none

    /// `millrace.delivery`: true if it is `durable`: every record is acknowledged when it is synced, whatever the
    /// producer asks for. Default false (`best-effort`): what the producer asks for.
    public var isDurable = false

    /// The defaults.
    public init() {}
}
