// DescribeProducers (61): served 0.
//
// Deviations from Kafka: transactions are not served, so no producer has one open. A response tells of 100,000
// producers at most; partitions beyond it are refused with INVALID_REQUEST and are to be asked for in requests of their
// own. A partition that is named twice is answered once.

import KafkaWire
import Log

extension Broker {
    /// The most producers in one response: about 4 MB. A partition remembers 4,096 by default.
    private static let maximumProducersPerAnswer = 100_000

    /// Answers DescribeProducers. May open the partitions' files.
    func describeProducers(_ request: DescribeProducersRequest) -> DescribeProducersResponse {
        var response = DescribeProducersResponse()
        var room = Self.maximumProducersPerAnswer
        response.topics = request.topics.map { asked in
            let topic = log.topic(named: asked.name)
            var answer = DescribeProducersResponse.TopicResponse()
            answer.name = asked.name
            answer.partitions = Set(asked.partitionIndexes).sorted().map { producers(of: $0, topic, &room) }
            return answer
        }
        return response
    }

    private func producers(
        of index: Int32, _ topic: Topic?, _ room: inout Int
    ) -> DescribeProducersResponse.PartitionResponse {
        var answer = DescribeProducersResponse.PartitionResponse()
        answer.partitionIndex = index
        do throws(RequestRefusal) {
            let producers = try producers(of: topic?.partition(index))
            guard producers.count <= room else {
                throw RequestRefusal(.invalidRequest, "too many producers for one answer: ask for fewer partitions")
            }
            room -= producers.count
            answer.activeProducers = producers.map { producer in
                var state = DescribeProducersResponse.ProducerState()
                state.producerId = producer.producerID
                state.producerEpoch = Int32(producer.epoch)
                state.lastSequence = producer.lastSequence
                state.lastTimestamp = producer.lastTimestamp
                state.coordinatorEpoch = -1
                return state
            }
        } catch {
            answer.errorCode = error.code
            answer.errorMessage = error.message
            instruments.countError(.describeProducers, error.code.name)
        }
        return answer
    }

    private func producers(of partition: Partition?) throws(RequestRefusal) -> [ProducerDescription] {
        guard let partition else {
            throw RequestRefusal(.unknownTopicOrPartition, "there is no such topic or partition")
        }
        do throws(LogError) {
            return try partition.producers()
        } catch {
            throw RequestRefusal(error)
        }
    }
}
