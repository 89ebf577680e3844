import ArgumentParser
import KafkaClient
import KafkaWire

/// `millrace group`: looks after consumer groups.
struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group", abstract: "List, describe, reset and delete consumer groups.",
        subcommands: [
            GroupListCommand.self, GroupDescribeCommand.self, GroupResetCommand.self, GroupDeleteCommand.self,
        ])
}

extension CommandFailure {
    /// Does what a coordinator refuses while somebody is in the group: it says UNKNOWN_MEMBER_ID to a commit that comes
    /// from no member, NON_EMPTY_GROUP to a deletion.
    static func unlessInUse(
        _ group: String, _ operation: () async throws(KafkaClientError) -> Void
    ) async throws {
        do throws(KafkaClientError) {
            try await operation()
        } catch {
            let codes: [ErrorCode] = [.unknownMemberId, .nonEmptyGroup]
            guard codes.contains(where: { $0.rawValue == error.brokerCode }) else { throw error }
            throw CommandFailure(
                message: "group \(group) has members",
                advice: "stop them first; `millrace group describe \(group)` names them")
        }
    }
}
