import KafkaWire
import Log

/// Which partitions a fetch request is about.
enum FetchScope {
    /// Those that it names.
    case sessionless
    /// Those that it names; a session begins with the answer.
    case full
    /// Those of a session; the request has told it what changes. `epoch` is the session's as long as no other request
    /// of the session has come since.
    case incremental(FetchSessionHandle, epoch: Int32)
}

extension Broker {
    /// What a request's session id and epoch ask for; an incremental request changes its session here.
    func fetchScope(of request: FetchRequest, version: Int16) throws(RequestRefusal) -> FetchScope {
        if request.sessionEpoch == beginningEpoch || request.sessionEpoch == endingEpoch {
            if request.sessionId != 0 { sessions.remove(request.sessionId) }
            let begins = request.sessionEpoch == beginningEpoch && settings.maximumFetchSessions > 0
            return begins && request.hasPlausibleNames ? .full : .sessionless
        }
        guard let handle = sessions.find(request.sessionId) else {
            throw RequestRefusal(.fetchSessionIdNotFound, "there is no fetch session \(request.sessionId)")
        }
        let (refusal, count, epoch) = handle.withSession { session in
            (session.take(request, version: version), session.count, session.epoch)
        }
        if let refusal { throw RequestRefusal(refusal, "fetch session \(handle.id) is at epoch \(epoch)") }
        guard count > 0 else {
            sessions.remove(handle.id)
            return .sessionless
        }
        guard count <= settings.maximumPartitionsPerRequest, request.hasPlausibleNames else {
            sessions.remove(handle.id)
            throw RequestRefusal(.fetchSessionIdNotFound, "fetch session \(handle.id) outgrew a request")
        }
        guard sessions.touch(handle, partitions: count) else {
            throw RequestRefusal(.fetchSessionIdNotFound, "no room for \(count) partitions of a fetch session")
        }
        return .incremental(handle, epoch: epoch)
    }
}

/// KIP-227: the epoch of a request that begins a session.
private let beginningEpoch: Int32 = 0
/// KIP-227: the epoch of a request without a session; it ends the one that it names.
private let endingEpoch: Int32 = -1

extension FetchRequest {
    /// The partitions that are named, to be read or to be forgotten.
    var partitionCount: Int {
        topics.reduce(0) { $0 + $1.partitions.count } + forgottenTopicsData.reduce(0) { $0 + $1.partitions.count }
    }

    /// Whether no name is longer than a topic's can be, which is 249 bytes: a session's partitions are bounded by their
    /// number, so that each must be small.
    fileprivate var hasPlausibleNames: Bool { topics.allSatisfy { $0.topic.utf8.count <= 249 } }
}

/// Finds topics as fetch requests name them, and remembers the last one: partitions of a topic mostly follow each other.
struct TopicLookup {
    private let log: CommitLog
    private let byID: Bool
    private var last: (asked: FetchedTopic, topic: Topic?)?

    init(_ log: CommitLog, version: Int16) {
        self.log = log
        byID = version >= 13
    }

    mutating func topic(_ asked: FetchedTopic) -> Topic? {
        if let last, last.asked == asked { return last.topic }
        let topic = byID ? log.topic(id: asked.id) : log.topic(named: asked.name)
        last = (asked, topic)
        return topic
    }

    /// The error of a partition that there is not. As in Kafka, a session that once knew a topic by its id tells whether
    /// the name now has another id, or is gone.
    func missing(_ topic: Topic?, knownAs name: String?) -> ErrorCode {
        guard topic == nil, byID else { return .unknownTopicOrPartition }
        guard let name else { return .unknownTopicId }
        return log.topic(named: name) == nil ? .unknownTopicOrPartition : .inconsistentTopicId
    }
}
