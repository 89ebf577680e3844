// DeleteGroups (42): served 0 to 2. Deviation from Kafka: answered when the deletions are synced.

import Groups
import KafkaWire
import Log
import NIOPosix

extension KafkaConnection {
    /// Every deletion is an append; they may be many.
    func deleteGroups(_ request: DeleteGroupsRequest, _ stamp: RequestStamp, _ ticket: Ticket) -> Outcome {
        guard request.groupsNames.count <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "the deletion of \(request.groupsNames.count) groups")
        }
        guard !request.groupsNames.isEmpty else { return .answered(.other(DeleteGroupsResponse())) }
        let broker = broker
        responses.makeExclusive(ticket)
        return answerLater(stamp, ticket) { answer in
            broker.administration.submit { _ in broker.deleteGroups(request.groupsNames, answer) }
        }
    }
}

extension Broker {
    fileprivate func deleteGroups(_ names: [String], _ answer: @escaping @Sendable (any KafkaResponse) -> Void) {
        let gathering = Gathering<ErrorCode>(names.count) { [instruments] codes in
            var response = DeleteGroupsResponse()
            response.results = zip(names, codes).map { name, code in
                instruments.countError(.deleteGroups, code)
                var result = DeleteGroupsResponse.DeletableGroupResult()
                result.groupId = name
                result.errorCode = code
                return result
            }
            answer(response)
        }
        for (index, name) in names.enumerated() {
            groups.deleteGroup(name) { gathering.put($0, at: index) }
        }
    }
}
