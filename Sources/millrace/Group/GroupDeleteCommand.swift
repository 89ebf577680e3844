import ArgumentParser
import KafkaClient

struct GroupDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete consumer groups and what they have committed. Nobody may be in them.")

    @Argument(help: "The groups.")
    var groups: [String]

    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let output = Output()
        try await cluster.withClient { client in
            for group in groups {
                try await CommandFailure.unlessInUse(group) { () async throws(KafkaClientError) in
                    try await client.admin.deleteGroup(group)
                }
                try output.write("deleted \(group)\n")
            }
        }
        try output.flush()
    }
}
