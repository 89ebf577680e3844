import ArgumentParser
import KafkaClient

struct TopicListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the topics of the cluster: how large they are, and how long they keep their records.")

    @Flag(help: "Also list the broker's own topics.")
    var `internal` = false

    @Flag(help: "Print one JSON object per topic and line.")
    var json = false

    @OptionGroup var cluster: ClusterOptions

    /// A topic with what it takes and keeps.
    struct Listing {
        let topic: TopicDescription
        /// The bytes of all copies of its partitions; nil if the brokers do not tell.
        let bytes: Int64?
        let retention: TopicRetention?
    }

    func run() async throws {
        let (listings, disks) = try await cluster.withClient { try await Self.listings($0.admin) }
        let shown = listings.filter { `internal` || !$0.topic.isInternal }
        let output = Output()
        try output.write(json ? Self.json(shown) : Self.table(shown) + Self.summary(listings, disks))
        try output.flush()
    }

    private static func listings(_ admin: Admin) async throws -> ([Listing], [LogDirectory]) {
        let topics = try await admin.listTopics()
        let disks = try await ifSupported { () async throws(KafkaClientError) in
            try await admin.describeLogDirectories()
        }
        let configs = try await ifSupported { () async throws(KafkaClientError) in
            try await admin.describeConfigs(TopicRetention.configs, ofTopics: topics.map(\.name))
        }
        var bytes: [String: Int64] = [:]
        for disk in disks ?? [] {
            for (partition, size) in disk.sizes { bytes[partition.topic, default: 0] += size }
        }
        let listings = topics.map { topic in
            Listing(
                topic: topic, bytes: disks == nil ? nil : bytes[topic.name, default: 0],
                retention: configs?[topic.name].map(TopicRetention.init))
        }
        return (listings, disks ?? [])
    }

    static func table(_ listings: [Listing]) -> String {
        if listings.isEmpty { return "no topics: create one with `millrace topic create NAME`\n" }
        var table = Table([
            ("name", .left), ("partitions", .right), ("replicas", .right), ("size", .right), ("keeps", .left),
            ("id", .left),
        ])
        for listing in listings {
            let topic = listing.topic
            table.add([
                topic.name, "\(topic.partitions.count)", "\(replicas(topic))",
                listing.bytes.map { Amount.bytes(Double($0)) } ?? "-", listing.retention?.text ?? "-", topic.id ?? "-",
            ])
        }
        return table.text
    }

    /// What all topics take, the broker's own included, and what is left.
    static func summary(_ listings: [Listing], _ disks: [LogDirectory]) -> String {
        guard !listings.isEmpty, !disks.isEmpty else { return "" }
        let taken = disks.reduce(0) { $0 + $1.sizes.values.reduce(0, +) }
        var text = "\n\(listings.count) topics take \(Amount.bytes(Double(taken)))"
        for disk in disks {
            guard let total = disk.totalBytes, let usable = disk.usableBytes else { continue }
            text += "; \(Amount.bytes(Double(usable))) of \(Amount.bytes(Double(total))) are free"
            if disks.count > 1 { text += " on broker \(disk.broker) in \(disk.path)" }
        }
        return text + "\n"
    }

    static func json(_ listings: [Listing]) -> String {
        var json = JSONText()
        for listing in listings {
            let topic = listing.topic
            json.object { json in
                json.member("name", topic.name)
                json.member("id", topic.id)
                json.member("partitions", Int64(topic.partitions.count))
                json.member("replicas", Int64(replicas(topic)))
                json.key("internal")
                json.value(topic.isInternal)
                json.member("size_bytes", listing.bytes)
                json.member("retention_ms", listing.retention?.milliseconds)
                json.member("retention_bytes", listing.retention?.bytes)
                json.member("retention_disk_percent", listing.retention?.diskPercent)
            }
            json.newline()
        }
        return json.text
    }

    private static func replicas(_ topic: TopicDescription) -> Int { topic.partitions.map(\.replicas.count).max() ?? 0 }

    /// What a broker that is too old does not tell is nil.
    private static func ifSupported<Value>(
        _ ask: () async throws(KafkaClientError) -> Value
    ) async throws(KafkaClientError) -> Value? {
        do throws(KafkaClientError) {
            return try await ask()
        } catch {
            guard error.code == .unsupported else { throw error }
            return nil
        }
    }
}

/// How long a topic keeps its records.
struct TopicRetention: Equatable {
    /// The configs that say so.
    static let configs = ["retention.ms", "retention.bytes", "millrace.retention.disk.percent"]

    /// By time; -1 for ever; nil if the broker does not say.
    let milliseconds: Int64?
    /// By size of a partition; -1 without limit.
    let bytes: Int64?
    /// By share of the disk that the topic is on; 0 without limit; nil for a broker that is not Millrace.
    let diskPercent: Int64?

    init(_ configs: [String: TopicConfig]) {
        func number(_ name: String) -> Int64? { configs[name]?.value.flatMap { Int64($0) } }
        milliseconds = number(Self.configs[0])
        bytes = number(Self.configs[1])
        diskPercent = number(Self.configs[2])
    }

    /// `7d`, `12h, 1 GiB a partition`, `all, 20 % of the disk`.
    var text: String {
        var parts = [milliseconds.map { $0 < 0 ? "all" : TimeText.text(milliseconds: $0) } ?? "?"]
        if let bytes, bytes >= 0 { parts.append("\(Amount.bytes(Double(bytes))) a partition") }
        if let diskPercent, diskPercent > 0 { parts.append("\(diskPercent) % of the disk") }
        return parts.joined(separator: ", ")
    }
}
