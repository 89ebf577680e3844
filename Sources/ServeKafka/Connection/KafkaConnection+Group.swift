import Bytes
import KafkaWire
import Log

/// A produce request whose batches are in the loop's group and not appended yet.
struct GroupedProduce {
    var stamp: RequestStamp
    let ticket: Ticket
    let acks: Int16
    let timeoutMilliseconds: Int32
    let topicName: String
    let topicID: Uuid
    let partition: Int32
}

/// Small produce requests of one read cycle for one partition are appended together, before the cycle's responses
/// leave: a client that pipelines requests of 100 bytes costs a third less.
extension KafkaConnection {
    /// Takes a request into the group; false if it is none of those that can be grouped, or is refused.
    func join(_ request: ProduceRequest, _ stamp: RequestStamp, _ ticket: Ticket, _ reader: ByteReader) -> Bool {
        guard
            request.topicData.count == 1, request.topicData[0].partitionData.count == 1,
            case .frame(let range) = request.topicData[0].partitionData[0].records, !range.isEmpty,
            range.count <= AppendGroup.maximumMemberBytes,
            (-1...1).contains(request.acks), request.transactionalId == nil
        else { return false }
        let data = request.topicData[0]
        let index = data.partitionData[0].index
        guard let topic = topic(data, stamp), !topic.isInternal, let partition = topic.partition(index) else {
            return false
        }
        if !loop.group.hasRoom(for: partition, byteCount: range.count) { commitGroup() }
        let position = PartitionPosition(topic: 0, partition: 0)
        let waiter =
            acks(request, topic) == -1
            ? ProduceWaiter(RequestID(connection: id, ticket: ticket), position, loop.mailbox) : nil
        do throws(LogError) {
            try loop.group.add(
                batches(reader, range), to: partition, durability: durability(of: acks(request, topic)), waiter: waiter)
        } catch {
            return false
        }
        grouped.append(
            GroupedProduce(
                stamp: stamp, ticket: ticket, acks: request.acks, timeoutMilliseconds: request.timeoutMs,
                topicName: data.name, topicID: data.topicId, partition: index))
        return true
    }

    /// Appends the group, and answers those of its requests that wait for nothing more.
    func commitGroup() {
        guard !grouped.isEmpty else { return }
        loop.group.commit { index, outcome in conclude(grouped[index], outcome) }
        grouped.removeAll(keepingCapacity: true)
    }

    private func conclude(_ member: GroupedProduce, _ outcome: AppendGroup.Outcome) {
        switch outcome {
        case .appended(let result):
            guard member.acks != 0 else { return responses.answer(member.ticket, nil) }
            answer(member.ticket, member.stamp, .produce(response(member, result)))
        case .waiting(let result):
            let deadline = member.stamp.handledAt + UInt64(max(0, member.timeoutMilliseconds)) * 1_000_000
            produces[member.ticket] = WaitingProduce(
                stamp: member.stamp, response: response(member, result), waitingPartitions: 1, deadline: deadline)
        case .failed(let error):
            loop.report(error)
            broker.instruments.countError(.produce, error.kafkaCode.name)
            guard member.acks != 0 else {
                return close(.unacknowledgedProduce, "\(error.kafkaCode): \(error.message)")
            }
            var response = response(member, nil)
            response.responses[0].partitionResponses[0].errorCode = error.kafkaCode
            response.responses[0].partitionResponses[0].errorMessage = error.message
            answer(member.ticket, member.stamp, .produce(response))
        }
    }

    private func response(_ member: GroupedProduce, _ result: AppendResult?) -> ProduceResponse {
        var answer = ProduceResponse.PartitionProduceResponse()
        answer.index = member.partition
        answer.baseOffset = result?.baseOffset ?? -1
        answer.logAppendTimeMs = result?.logAppendTime ?? -1
        answer.logStartOffset = result?.logStartOffset ?? -1
        var topic = ProduceResponse.TopicProduceResponse()
        topic.name = member.topicName
        topic.topicId = member.topicID
        topic.partitionResponses = [answer]
        var response = ProduceResponse()
        response.responses = [topic]
        return response
    }
}
