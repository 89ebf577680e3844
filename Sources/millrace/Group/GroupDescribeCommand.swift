import ArgumentParser
import KafkaClient

struct GroupDescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Describe consumer groups: who reads what, and how far behind they are.")

    @Argument(help: "The groups.")
    var groups: [String]

    @Flag(help: "Print one JSON object per group and line.")
    var json = false

    @OptionGroup var cluster: ClusterOptions

    /// A group, and how far it is in each partition that it has committed or reads.
    struct Description {
        let group: GroupDetails
        let places: [Place]

        var lag: Int64 { places.reduce(0) { $0 + ($1.lag ?? 0) } }
    }

    struct Place {
        let partition: TopicPartition
        /// The next offset to read; nil if nothing was committed.
        let committed: Int64?
        /// The end of the partition; nil if the topic is gone.
        let end: Int64?
        /// Who reads it.
        let member: GroupDetails.Member?

        var lag: Int64? { end.flatMap { end in committed.map { max(0, end - $0) } } }
    }

    func run() async throws {
        let output = Output()
        try await cluster.withClient { client in
            for group in groups {
                let description = try await Self.describe(group, client.admin)
                try output.write(json ? Self.json(description) : Self.text(description))
            }
        }
        try output.flush()
    }

    static func describe(_ id: String, _ admin: Admin) async throws -> Description {
        let group = try await admin.describeGroup(id)
        let committed = try await admin.committedOffsets(ofGroup: id)
        var readers: [TopicPartition: GroupDetails.Member] = [:]
        for member in group.members {
            for partition in member.assignment { readers[partition] = member }
        }
        let partitions = Set(committed.keys).union(readers.keys).sorted()
        let ends = try await Self.ends(of: partitions, admin)
        let places = partitions.map { partition in
            Place(
                partition: partition, committed: committed[partition], end: ends[partition],
                member: readers[partition])
        }
        return Description(group: group, places: places)
    }

    /// The ends of those partitions that still exist.
    private static func ends(of partitions: [TopicPartition], _ admin: Admin) async throws -> [TopicPartition: Int64] {
        let known = try await admin.listTopics()
        let counts = Dictionary(uniqueKeysWithValues: known.map { ($0.name, Int32($0.partitions.count)) })
        let there = partitions.filter { $0.partition < counts[$0.topic] ?? 0 }
        let found = try await admin.listOffsets(Dictionary(uniqueKeysWithValues: there.map { ($0, .latest) }))
        return found.mapValues(\.offset)
    }

    static func text(_ description: Description) -> String {
        let group = description.group
        // Where nothing was committed, nobody knows how far the members are.
        let lag = (description.places.contains { $0.lag == nil } ? "at least " : "") + "\(description.lag)"
        var heading = "\(group.id)  \(group.state)  members \(group.members.count)  lag \(lag)"
        if !group.assignor.isEmpty { heading += "  assignor \(group.assignor)" }
        guard !description.places.isEmpty else { return heading + "\nnothing is committed\n" }
        var table = Table([
            ("topic", .left), ("partition", .right), ("committed", .right), ("end", .right), ("lag", .right),
            ("client", .left), ("host", .left), ("member", .left),
        ])
        for place in description.places {
            table.add([
                place.partition.topic, "\(place.partition.partition)", number(place.committed), number(place.end),
                number(place.lag), place.member?.clientID ?? "-", place.member?.host ?? "-", place.member?.id ?? "-",
            ])
        }
        return heading + "\n" + table.text
    }

    static func json(_ description: Description) -> String {
        let group = description.group
        var json = JSONText()
        json.object { json in
            json.member("group", group.id)
            json.member("state", group.state)
            json.member("assignor", group.assignor)
            json.member("lag", description.lag)
            json.key("members")
            json.array { json in
                for member in group.members {
                    json.object { json in
                        json.member("id", member.id)
                        json.member("instance", member.instanceID)
                        json.member("client", member.clientID)
                        json.member("host", member.host)
                    }
                }
            }
            json.key("partitions")
            json.array { json in for place in description.places { write(place, &json) } }
        }
        json.newline()
        return json.text
    }

    private static func write(_ place: Place, _ json: inout JSONText) {
        json.object { json in
            json.member("topic", place.partition.topic)
            json.member("partition", Int64(place.partition.partition))
            json.member("committed", place.committed)
            json.member("end", place.end)
            json.member("lag", place.lag)
            json.member("member", place.member?.id)
        }
    }

    private static func number(_ value: Int64?) -> String { value.map { "\($0)" } ?? "-" }
}
