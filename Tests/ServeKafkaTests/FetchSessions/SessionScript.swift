import KafkaWire

@testable import ServeKafka

/// A session, its client and a log of byte counts, spoken to in words. Partitions are written `topic/0`, and `@5` is
/// the offset to fetch from.
struct SessionScript {
    /// What the broker has of a partition: records of one byte each. Nil: there is no such partition.
    struct Content: Equatable {
        var start: Int64 = 0
        var end: Int64 = 0
    }

    var log: [String: Content] = [:]
    private(set) var session: FetchSession
    /// The most bytes of a response.
    var maximumBytes = Int.max

    init(usesTopicIDs: Bool = false) {
        session = FetchSession(usesTopicIDs: usesTopicIDs)
    }

    /// A full request, which begins the session.
    mutating func begin(_ wanted: String) -> String {
        let request = Self.request(wanted, epoch: 0)
        var response = FetchResponse()
        var remaining = maximumBytes
        for topic in request.topics {
            var group = FetchResponse.FetchableTopicResponse()
            group.topic = topic.topic
            group.partitions = topic.partitions.map { Self.answer($0, of: topic.topic, log, &remaining) }
            response.responses.append(group)
        }
        session.begin(request, response)
        let answers = response.responses.flatMap { group in group.partitions.map { (group.topic, $0) } }
        return answers.map(Self.describe).joined(separator: ", ")
    }

    /// An incremental request: what is added or changed, and what is forgotten. The answer, or the error.
    mutating func fetch(
        _ epoch: Int32, _ wanted: String = "", forget: String = "", version: Int16 = 12
    ) -> String {
        var request = Self.request(wanted, epoch: epoch)
        for (topic, partition, _) in Self.parse(forget) {
            var forgotten = FetchRequest.ForgottenTopic()
            forgotten.topic = topic
            forgotten.partitions = [partition]
            request.forgottenTopicsData.append(forgotten)
        }
        if let error = session.take(request, version: version) { return error.name }
        var told: [(topic: String, FetchResponse.PartitionData, place: FetchSession.Place)] = []
        var remaining = maximumBytes
        let log = log
        session.forEach { place, part in
            let answer = Self.answer(part.asked, of: part.topic.name, log, &remaining)
            if part.isNews(answer) { told.append((part.topic.name, answer, place)) }
        }
        for (_, answer, place) in told { session.tell(answer, at: place) }
        return told.map { Self.describe($0.topic, $0.1) }.joined(separator: ", ")
    }

    private static func answer(
        _ asked: FetchRequest.FetchPartition, of topic: String, _ log: [String: Content], _ remaining: inout Int
    ) -> FetchResponse.PartitionData {
        var answer = FetchResponse.PartitionData()
        answer.partitionIndex = asked.partition
        answer.highWatermark = -1
        guard let content = log["\(topic)/\(asked.partition)"] else {
            answer.errorCode = .unknownTopicOrPartition
            return answer
        }
        guard (content.start...content.end).contains(asked.fetchOffset) else {
            answer.errorCode = .offsetOutOfRange
            answer.logStartOffset = content.start
            return answer
        }
        answer.highWatermark = content.end
        answer.logStartOffset = content.start
        let count = min(Int(content.end - asked.fetchOffset), Int(asked.partitionMaxBytes), remaining)
        remaining -= count
        answer.records = .external(byteCount: count)
        return answer
    }

    private static func request(_ wanted: String, epoch: Int32) -> FetchRequest {
        var request = FetchRequest()
        request.sessionEpoch = epoch
        for (topic, partition, offset) in parse(wanted) {
            var part = FetchRequest.FetchPartition()
            part.partition = partition
            part.fetchOffset = offset
            part.partitionMaxBytes = 1_000
            var named = FetchRequest.FetchTopic()
            named.topic = topic
            named.partitions = [part]
            request.topics.append(named)
        }
        return request
    }

    /// `a/0@5 b/1` as topics, partitions and offsets.
    private static func parse(_ text: String) -> [(topic: String, partition: Int32, offset: Int64)] {
        text.split(separator: " ").map { word in
            let parts = word.split(separator: "@")
            let name = parts[0].split(separator: "/")
            return (String(name[0]), Int32(name[1]) ?? 0, parts.count > 1 ? Int64(parts[1]) ?? 0 : 0)
        }
    }

    /// `a/0 +3 0..8`: three bytes of records, and the ends of the log.
    private static func describe(_ topic: String, _ answer: FetchResponse.PartitionData) -> String {
        let name = "\(topic)/\(answer.partitionIndex)"
        guard answer.errorCode == .none else { return "\(name) \(answer.errorCode.name)" }
        let records = answer.records.byteCount
        return "\(name)\(records > 0 ? " +\(records)" : "") \(answer.logStartOffset)..\(answer.highWatermark)"
    }
}
