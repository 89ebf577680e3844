import KafkaWire
import Log

/// What fills one gap of a fetch response.
struct FetchedSlice: Sendable {
    let slice: LogSlice
    let partition: Partition
}

/// What a fetch request reads at one moment: the response, and the slices that fill its gaps.
struct FetchReading {
    /// The response; the records of its partitions are gaps.
    private(set) var response = FetchResponse()
    /// What fills the gaps, in order.
    private(set) var slices: [FetchedSlice] = []
    /// The errors, of the request or of its partitions.
    private(set) var errors: [ErrorCode] = []
    /// The partitions that were read, told of or not.
    private(set) var partitionCount = 0
    /// Whether the response need not wait: it has the bytes asked for, or an error.
    var isComplete: Bool { byteCount >= minimumBytes || !errors.isEmpty }

    private var byteCount = 0
    private var remainingBytes: Int
    private let minimumBytes: Int
    private let isReadCommitted: Bool
    /// Where the session keeps the partitions of the response, in the response's order.
    private var places: [FetchSession.Place] = []

    /// Reads every partition in the order of the request, or of its session. KIP-74: the first batch found is returned
    /// whole whatever the limits, so that a reader always advances.
    init(_ request: FetchRequest, _ scope: FetchScope, version: Int16, _ broker: Broker) {
        remainingBytes = min(Int(max(0, request.maxBytes)), broker.settings.maximumFetchBytes)
        minimumBytes = Int(max(0, request.minBytes))
        isReadCommitted = request.isolationLevel == 1
        var topics = TopicLookup(broker.log, version: version)
        switch scope {
        case .sessionless, .full: readNamed(request, &topics)
        case .incremental(let handle, let epoch): readSession(handle, epoch, &topics)
        }
    }

    /// Nothing but an error.
    init(refusing code: ErrorCode) {
        (remainingBytes, minimumBytes, isReadCommitted) = (0, 0, false)
        refuse(code, sessionID: 0)
    }

    /// Puts the reading as it will be answered into its session, which begins or goes on here.
    mutating func settle(_ request: FetchRequest, _ scope: FetchScope, version: Int16, _ broker: Broker) {
        switch scope {
        case .sessionless: break
        case .full:
            let session = broker.sessions.create(forPartitions: partitionCount, usesTopicIDs: version >= 13)
            session?.withSession { $0.begin(request, response) }
            response.sessionId = session?.id ?? 0
        case .incremental(let handle, let epoch):
            guard response.errorCode == .none else { return }
            let isCurrent = handle.withSession { session in
                guard session.epoch == epoch else { return false }
                tell(&session)
                return true
            }
            if !isCurrent { refuse(.invalidFetchSessionEpoch, sessionID: handle.id) }
            response.sessionId = handle.id
        }
    }

    private func tell(_ session: inout FetchSession) {
        var told = places.makeIterator()
        for topic in response.responses {
            for answer in topic.partitions {
                if let place = told.next() { session.tell(answer, at: place) }
            }
        }
    }

    /// As Kafka answers what is wrong with a session: without partitions.
    private mutating func refuse(_ code: ErrorCode, sessionID: Int32) {
        response = FetchResponse()
        response.errorCode = code
        response.sessionId = sessionID
        slices = []
        errors = [code]
    }

    private mutating func readNamed(_ request: FetchRequest, _ topics: inout TopicLookup) {
        response.responses.reserveCapacity(request.topics.count)
        for asked in request.topics {
            let topic = topics.topic(FetchedTopic(name: asked.topic, id: asked.topicId))
            var answer = FetchResponse.FetchableTopicResponse()
            answer.topic = asked.topic
            answer.topicId = asked.topicId
            answer.partitions.reserveCapacity(asked.partitions.count)
            for part in asked.partitions {
                if let partition = topic?.partition(part.partition) {
                    answer.partitions.append(read(part, partition))
                } else {
                    answer.partitions.append(absent(part, topics.missing(topic, knownAs: nil)))
                }
            }
            partitionCount += asked.partitions.count
            response.responses.append(answer)
        }
    }

    private mutating func readSession(_ handle: FetchSessionHandle, _ epoch: Int32, _ topics: inout TopicLookup) {
        handle.withSession { session in
            guard session.epoch == epoch else { return refuse(.invalidFetchSessionEpoch, sessionID: handle.id) }
            partitionCount = session.count
            let usesTopicIDs = session.usesTopicIDs
            session.forEach { place, part in
                let topic = topics.topic(part.topic)
                if usesTopicIDs, part.topicName == nil { part.topicName = topic?.name }
                let answer: FetchResponse.PartitionData
                if let partition = topic?.partition(part.asked.partition) {
                    guard !part.isAtRest(in: partition) else { return part.seenHighWatermark = part.toldHighWatermark }
                    answer = read(part.asked, partition)
                } else {
                    answer = absent(part.asked, topics.missing(topic, knownAs: part.topicName))
                }
                part.seenHighWatermark = answer.highWatermark
                if part.isNews(answer) { append(answer, of: part.topic, place) }
            }
        }
    }

    private mutating func append(
        _ answer: FetchResponse.PartitionData, of topic: FetchedTopic, _ place: FetchSession.Place
    ) {
        if response.responses.last.map({ $0.topic != topic.name || $0.topicId != topic.id }) ?? true {
            var group = FetchResponse.FetchableTopicResponse()
            group.topic = topic.name
            group.topicId = topic.id
            response.responses.append(group)
        }
        response.responses[response.responses.count - 1].partitions.append(answer)
        places.append(place)
    }

    private func nothing(of asked: FetchRequest.FetchPartition) -> FetchResponse.PartitionData {
        var answer = FetchResponse.PartitionData()
        answer.partitionIndex = asked.partition
        answer.highWatermark = -1
        answer.records = .bytes([])
        answer.abortedTransactions = isReadCommitted ? [] : nil
        return answer
    }

    private mutating func absent(
        _ asked: FetchRequest.FetchPartition, _ code: ErrorCode
    ) -> FetchResponse.PartitionData {
        var answer = nothing(of: asked)
        answer.errorCode = code
        errors.append(code)
        return answer
    }

    private mutating func read(
        _ asked: FetchRequest.FetchPartition, _ partition: Partition
    ) -> FetchResponse.PartitionData {
        var answer = nothing(of: asked)
        do throws(LogError) {
            try checkEpoch(asked.currentLeaderEpoch, partition)
            let limit = min(Int(max(0, asked.partitionMaxBytes)), remainingBytes)
            let slice = try partition.read(
                from: asked.fetchOffset, maximumBytes: limit, atLeastOneBatch: byteCount == 0)
            answer.highWatermark = slice.highWatermark
            answer.lastStableOffset = slice.lastStableOffset
            answer.logStartOffset = slice.logStartOffset
            guard !slice.isEmpty else { return answer }
            answer.records = .external(byteCount: slice.count)
            byteCount += slice.count
            remainingBytes = max(0, remainingBytes - slice.count)
            slices.append(FetchedSlice(slice: slice, partition: partition))
        } catch {
            answer.errorCode = error.kafkaCode
            answer.logStartOffset = partition.logStartOffset
            errors.append(answer.errorCode)
        }
        return answer
    }
}

extension SessionPartition {
    /// Whether the client is at the partition's end and knows it, so that there is nothing to read and nothing to tell.
    /// Most of a large session's partitions are; finding out takes neither a lock nor the partition's files. Who was
    /// told a high watermark was told no error since, so the partition is open; who may have to hear of another leader
    /// epoch is not at rest.
    fileprivate func isAtRest(in partition: Partition) -> Bool {
        toldHighWatermark == asked.fetchOffset && toldHighWatermark == partition.highWatermark
            && toldLogStartOffset == partition.logStartOffset
            && (asked.currentLeaderEpoch < 0 || asked.currentLeaderEpoch == partition.leaderEpoch)
    }
}

/// KIP-320: a client that has heard of a newer leader must wait for us, one that has not must look again.
func checkEpoch(_ known: Int32, _ partition: Partition) throws(LogError) {
    guard known >= 0 else { return }
    let current = partition.leaderEpoch
    if known < current { throw LogError(.fencedLeaderEpoch, "the leader epoch is \(current), not \(known)") }
    if known > current { throw LogError(.unknownLeaderEpoch, "the leader epoch is \(current), not \(known)") }
}
