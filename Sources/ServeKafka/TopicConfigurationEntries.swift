import Log

extension TopicConfiguration {
    /// A config by name, with its value as Kafka writes it.
    struct Entry {
        let name: String
        let value: String
    }

    /// Every config that a topic has, sorted by name.
    var entries: [Entry] {
        [
            Entry(name: "flush.ms", value: "\(flushMilliseconds)"),
            Entry(name: "index.interval.bytes", value: "\(indexIntervalBytes)"),
            Entry(name: "max.message.bytes", value: "\(maximumMessageBytes)"),
            Entry(name: "message.timestamp.after.max.ms", value: "\(timestampAfterMaximumMilliseconds)"),
            Entry(name: "message.timestamp.type", value: logAppendTime ? "LogAppendTime" : "CreateTime"),
            Entry(name: "millrace.retention.disk.percent", value: "\(retentionDiskPercent)"),
            Entry(name: "retention.bytes", value: "\(retentionBytes)"),
            Entry(name: "retention.ms", value: "\(retentionMilliseconds)"),
            Entry(name: "segment.bytes", value: "\(segmentBytes)"),
            Entry(name: "segment.ms", value: "\(segmentMilliseconds)"),
        ]
    }
}
