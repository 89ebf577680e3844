// CreatePartitions (37): served 0 to 3.
//
// Deviations from Kafka: an assignment may name this broker only. The time-out is not looked at: creation is one
// commit, durable when it is answered. Beyond the bounds on partitions it is POLICY_VIOLATION.

import KafkaWire
import Log
import Logging

extension Broker {
    /// Answers CreatePartitions. Waits for the disk.
    func createPartitions(_ request: CreatePartitionsRequest) -> CreatePartitionsResponse {
        var response = CreatePartitionsResponse()
        let names = Occurrences(request.topics.map(\.name))
        response.results = request.topics.map { asked in
            var answer = CreatePartitionsResponse.CreatePartitionsTopicResult()
            answer.name = asked.name
            do throws(RequestRefusal) {
                guard names.isOnly(asked.name) else {
                    throw RequestRefusal(.invalidRequest, "the request names topic \(asked.name) more than once")
                }
                try grow(asked, validateOnly: request.validateOnly)
            } catch {
                answer.errorCode = error.code
                answer.errorMessage = error.message
                instruments.countError(.createPartitions, error.code.name)
            }
            return answer
        }
        return response
    }

    private func grow(
        _ asked: CreatePartitionsRequest.CreatePartitionsTopic, validateOnly: Bool
    ) throws(RequestRefusal) {
        let topic = try topic(changed: asked.name)
        try create(asked, validateOnly: true)
        try checkAssignments(asked, added: Int(asked.count) - topic.partitions.count)
        guard !validateOnly else { return }
        try create(asked, validateOnly: false)
        logger.info("partitions added", metadata: ["topic": "\(asked.name)", "partitions": "\(asked.count)"])
    }

    private func create(
        _ asked: CreatePartitionsRequest.CreatePartitionsTopic, validateOnly: Bool
    ) throws(RequestRefusal) {
        do throws(LogError) {
            try log.createPartitions(of: asked.name, total: asked.count, validateOnly: validateOnly)
        } catch {
            throw RequestRefusal(error)
        }
    }

    private func checkAssignments(
        _ asked: CreatePartitionsRequest.CreatePartitionsTopic, added: Int
    ) throws(RequestRefusal) {
        guard let assignments = asked.assignments else { return }
        guard assignments.count == added else {
            throw RequestRefusal(
                .invalidReplicationAssignment, "\(assignments.count) assignments for \(added) new partitions")
        }
        guard assignments.allSatisfy({ $0.brokerIds == [log.nodeID] }) else {
            throw RequestRefusal(
                .invalidReplicationAssignment, "a partition can be assigned to broker \(log.nodeID) only")
        }
    }
}
