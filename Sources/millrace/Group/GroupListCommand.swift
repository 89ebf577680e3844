import ArgumentParser
import KafkaClient

struct GroupListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the consumer groups of the cluster.")

    @Flag(help: "Print one JSON object per group and line.")
    var json = false

    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let groups = try await cluster.withClient { try await $0.admin.listGroups() }
        let output = Output()
        try output.write(json ? Self.json(groups) : Self.table(groups))
        try output.flush()
    }

    static func table(_ groups: [GroupListing]) -> String {
        if groups.isEmpty { return "no groups: `millrace consume TOPIC --group NAME` makes one\n" }
        var table = Table([("group", .left), ("state", .left), ("protocol", .left)])
        for group in groups {
            table.add([group.id, group.state ?? "-", group.protocolType.isEmpty ? "-" : group.protocolType])
        }
        return table.text
    }

    static func json(_ groups: [GroupListing]) -> String {
        var json = JSONText()
        for group in groups {
            json.object { json in
                json.member("group", group.id)
                json.member("state", group.state)
                json.member("protocol", group.protocolType)
            }
            json.newline()
        }
        return json.text
    }
}
