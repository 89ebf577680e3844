import Log
import MillraceTesting
import Testing

/// `millrace.view` and what it brings along.
@Suite struct TopicViewTests {
    @Test func aViewSetsDefaults() throws {
        let (log, _) = try Site().openWithTopic()
        let topic = try log.createTopic("v", partitions: 1, configs: ["millrace.view": "series"])
        #expect(topic.configuration.view == .series)
        #expect(topic.configuration.logAppendTime)
        #expect(topic.configuration.retentionMilliseconds == 3_600_000)
        #expect(topic.configuration.segmentBytes == 64 << 20)
        let described = Dictionary(uniqueKeysWithValues: log.describeConfigs(of: topic).map { ($0.name, $0) })
        #expect(described["retention.ms"]?.value == "3600000")
        #expect(described["message.timestamp.type"]?.value == "LogAppendTime")
        #expect(described["millrace.view"]?.source == .topic)
        try log.alterConfigs(of: "v", ["retention.ms": .set("7"), "segment.bytes": .set("1000")])
        #expect(log.topic(named: "v")?.configuration.retentionMilliseconds == 7)
        #expect(log.topic(named: "v")?.configuration.segmentBytes == 1_000)
        try log.alterConfigs(of: "v", ["millrace.view": .reset])
        #expect(log.topic(named: "v")?.configuration.logAppendTime == false)
    }

    @Test func linesKeepTheirTimes() throws {
        let (log, _) = try Site().openWithTopic()
        let topic = try log.createTopic("v", partitions: 1, configs: ["millrace.view": "search"])
        #expect(topic.configuration.view == .search)
        #expect(!topic.configuration.logAppendTime)
        #expect(topic.configuration.retentionMilliseconds == 3_600_000)
        #expect(topic.configuration.timestampAfterMaximumMilliseconds == .max)
        let described = Dictionary(uniqueKeysWithValues: log.describeConfigs(of: topic).map { ($0.name, $0) })
        #expect(described["message.timestamp.type"]?.value == "CreateTime")
        #expect(described["message.timestamp.after.max.ms"]?.value == "\(Int64.max)")
        // The year 2200.
        let result = try topic.partitions[0].append(batch(["x"], timestamp: 7_258_118_400_000))
        #expect(result.baseOffset == 0)
        try log.alterConfigs(of: "v", ["millrace.view": .set("none")])
        #expect(log.topic(named: "v")?.configuration.timestampAfterMaximumMilliseconds == 3_600_000)
    }

    @Test(arguments: [
        (["millrace.view": "both"], "none, series or search"),
        (["millrace.view": "search", "message.timestamp.type": "LogAppendTime"], "CreateTime"),
        (["millrace.view": "series", "message.timestamp.type": "CreateTime"], "LogAppendTime"),
    ])
    func whatCannotBeIsRefused(configs: [String: String], text: String) throws {
        let (log, _) = try Site().openWithTopic()
        let error = #expect(throws: LogError.self) { try log.createTopic("v", partitions: 1, configs: configs) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains(text) == true)
    }
}
