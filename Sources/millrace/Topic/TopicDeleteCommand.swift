import ArgumentParser
import KafkaClient

struct TopicDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete topics with all their records. There is no way back.")

    @Argument(help: "The names.")
    var names: [String]

    @Flag(help: "A topic that does not exist is no failure.")
    var ifExists = false

    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let output = Output()
        try await cluster.withClient { client in
            for name in names {
                do {
                    try await client.admin.deleteTopic(name)
                    try output.write("deleted \(name)\n")
                } catch let error as KafkaClientError where ifExists && error.code == .unknownTopic {
                    try output.write("\(name) does not exist\n")
                }
            }
        }
        try output.flush()
    }
}
