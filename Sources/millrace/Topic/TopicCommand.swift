import ArgumentParser

/// `millrace topic`: everything about topics themselves.
struct TopicCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topic", abstract: "Create, list, describe, change and delete topics.",
        subcommands: [
            TopicCreateCommand.self, TopicListCommand.self, TopicDescribeCommand.self, TopicAlterCommand.self,
            TopicDeleteCommand.self, TopicDeleteRecordsCommand.self,
        ])
}
