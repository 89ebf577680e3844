// Produce (0): served 3 to 13, advertised from 0.
//
// Deviations from Kafka:
// - `acks=all` answers once the records are synced to disk, `acks=1` once they are written (and synced within
//   `flush.ms`): there are no replicas that could hold them instead. In a topic with `millrace.delivery=durable`
//   `acks=1` is answered like `acks=all`.
// - Versions 0 to 2 are answered with UNSUPPORTED_VERSION per partition, in their own form; Kafka closes the
//   connection. They are advertised because librdkafka takes a broker without Produce 0 for one that cannot take
//   compressed batches, and silently sends uncompressed ones.
// - A transactional id is answered with INVALID_TXN_STATE: transactions are not served.

import Bytes
import KafkaWire
import Log

/// Which partition of a request, by position.
struct PartitionPosition: Sendable {
    let topic: Int
    let partition: Int
}

/// A produce request that waits for syncs. The response is complete but for the errors that a sync may bring.
struct WaitingProduce {
    let stamp: RequestStamp
    var response: ProduceResponse
    /// The partitions that are not synced yet.
    var waitingPartitions: Int
    /// When the client's own time-out is up, in monotonic nanoseconds.
    let deadline: UInt64
}

/// Tells the connection's loop that a partition of a produce request is synced.
final class ProduceWaiter: SyncWaiter {
    private let request: RequestID
    private let position: PartitionPosition
    private let mailbox: LoopMailbox

    init(_ request: RequestID, _ position: PartitionPosition, _ mailbox: LoopMailbox) {
        self.request = request
        self.position = position
        self.mailbox = mailbox
    }

    func synced(_ error: LogError?) {
        mailbox.post(.synced(request, position, error))
    }
}

extension KafkaConnection {
    /// Appends the request's batches. `reader` is the one that decoded it: the batches are still in the frame.
    func produce(
        _ request: ProduceRequest, _ stamp: RequestStamp, _ ticket: Ticket, _ reader: ByteReader
    ) -> Outcome {
        if join(request, stamp, ticket, reader) { return .grouped }
        commitGroup()
        let partitions = request.topicData.reduce(0) { $0 + $1.partitionData.count }
        guard partitions <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "a produce request for \(partitions) partitions")
        }
        var response = ProduceResponse()
        var waiting = 0
        response.responses.reserveCapacity(request.topicData.count)
        for (topicPosition, data) in request.topicData.enumerated() {
            var answer = ProduceResponse.TopicProduceResponse()
            answer.name = data.name
            answer.topicId = data.topicId
            answer.partitionResponses.reserveCapacity(data.partitionData.count)
            let topic = topic(data, stamp)
            for (position, part) in data.partitionData.enumerated() {
                let place = PartitionPosition(topic: topicPosition, partition: position)
                let result = append(part, of: topic, request, stamp, reader) { partition, endOffset in
                    let waiter = ProduceWaiter(RequestID(connection: id, ticket: ticket), place, loop.mailbox)
                    if partition.notifyWhenSynced(upTo: endOffset, waiter) { waiting += 1 }
                }
                answer.partitionResponses.append(result)
            }
            response.responses.append(answer)
        }
        if request.acks == 0 { return outcomeWithoutAcknowledgement(response) }
        guard waiting > 0 else { return .answered(.produce(response)) }
        let now = loop.now()
        let deadline = now + UInt64(max(0, request.timeoutMs)) * 1_000_000
        produces[ticket] = WaitingProduce(
            stamp: stamp.handled(at: now), response: response, waitingPartitions: waiting, deadline: deadline)
        return .waiting
    }

    private func append(
        _ part: ProduceRequest.PartitionProduceData, of topic: Topic?, _ request: ProduceRequest, _ stamp: RequestStamp,
        _ reader: ByteReader, wait: (Partition, Int64) -> Void
    ) -> ProduceResponse.PartitionProduceResponse {
        var answer = ProduceResponse.PartitionProduceResponse()
        answer.index = part.index
        answer.baseOffset = -1
        func refuse(_ code: ErrorCode, _ message: String) -> ProduceResponse.PartitionProduceResponse {
            answer.errorCode = code
            answer.errorMessage = message
            broker.instruments.countError(.produce, code.name)
            return answer
        }
        guard request.transactionalId == nil else {
            return refuse(.invalidTxnState, "transactions are not served")
        }
        guard (-1...1).contains(request.acks) else {
            return refuse(.invalidRequiredAcks, "acks must be -1, 0 or 1, not \(request.acks)")
        }
        guard let partition = topic?.partition(part.index) else {
            let isUnknownID = topic == nil && stamp.version >= 13
            return refuse(isUnknownID ? .unknownTopicId : .unknownTopicOrPartition, "no such topic or partition")
        }
        guard topic?.isInternal != true else {
            return refuse(.invalidTopicException, "an internal topic takes no records from clients")
        }
        guard case .frame(let range) = part.records, !range.isEmpty else {
            return refuse(.invalidRecord, "a partition without records")
        }
        do throws(LogError) {
            let result = try partition.append(batches(reader, range), durability: durability(of: acks(request, topic)))
            answer.baseOffset = result.baseOffset
            answer.logAppendTimeMs = result.logAppendTime
            answer.logStartOffset = result.logStartOffset
            if acks(request, topic) == -1 { wait(partition, result.endOffset) }
            return answer
        } catch {
            loop.report(error)
            return refuse(error.kafkaCode, error.message)
        }
    }

    /// The topic that a request names, or gives the id of.
    func topic(_ data: ProduceRequest.TopicProduceData, _ stamp: RequestStamp) -> Topic? {
        stamp.version >= 13 ? broker.log.topic(id: data.topicId) : broker.log.topic(named: data.name)
    }

    /// The batches of a request, in its frame.
    func batches(_ reader: ByteReader, _ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        // Safe because the frame is this connection's alone until the request is handled: the other reference that the
        // receive buffer may have is the channel's pool, which never looks at the bytes.
        UnsafeMutableRawBufferPointer(mutating: reader.bytes(in: range))
    }

    /// What a producer asks for, or more: records of a durable topic are acknowledged when they are synced.
    func acks(_ request: ProduceRequest, _ topic: Topic?) -> Int16 {
        request.acks == 1 && topic?.configuration.isDurable == true ? -1 : request.acks
    }

    func durability(of acks: Int16) -> Durability {
        switch acks {
        case 0: .none
        case 1: .flushInterval
        default: .now
        }
    }

    /// `acks=0` has no response; an error is told by closing the connection, as Kafka does, so that the client looks
    /// up who leads, or that the topic is gone.
    private func outcomeWithoutAcknowledgement(_ response: ProduceResponse) -> Outcome {
        let failed = response.responses.lazy.flatMap(\.partitionResponses).first { $0.errorCode != .none }
        guard let failed else { return .silent }
        return .closed(.unacknowledgedProduce, "\(failed.errorCode): \(failed.errorMessage ?? "")")
    }

    /// A partition of a waiting request is synced, or will not be.
    func synced(_ ticket: Ticket, _ position: PartitionPosition, _ error: LogError?) {
        guard var waiting = produces[ticket] else { return }
        produces[ticket] = nil
        if let error {
            loop.report(error)
            broker.instruments.countError(.produce, error.kafkaCode.name)
            let code = error.kafkaCode
            waiting.response.responses[position.topic].partitionResponses[position.partition].fail(code, error.message)
        }
        waiting.waitingPartitions -= 1
        if waiting.waitingPartitions == 0 {
            answer(ticket, waiting.stamp, .produce(waiting.response))
        } else {
            produces[ticket] = waiting
        }
    }

    /// Answers REQUEST_TIMED_OUT where the disk took longer than the client wants to wait. The records may yet become
    /// durable: the code says that nobody knows.
    func expireProduces(now: UInt64) {
        guard !produces.isEmpty else { return }
        let expired = produces.filter { $0.value.deadline < now }
        for (ticket, var waiting) in expired {
            produces[ticket] = nil
            for topic in waiting.response.responses.indices {
                for partition in waiting.response.responses[topic].partitionResponses.indices
                where waiting.response.responses[topic].partitionResponses[partition].errorCode == .none {
                    waiting.response.responses[topic].partitionResponses[partition]
                        .fail(.requestTimedOut, "the records were not synced in time")
                }
            }
            answer(ticket, waiting.stamp, .produce(waiting.response))
        }
        if !expired.isEmpty { advance() }
    }
}

extension ProduceResponse.PartitionProduceResponse {
    fileprivate mutating func fail(_ code: ErrorCode, _ message: String) {
        errorCode = code
        errorMessage = message
        baseOffset = -1
        logAppendTimeMs = -1
        logStartOffset = -1
    }
}
