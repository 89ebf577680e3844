import KafkaWire
import Logging
import NIOCore

extension KafkaClient {
    /// Sends one request and waits for its answer; no repetition.
    ///
    /// `make` is given the version that was agreed on. `limit` bounds it from above.
    func request<Request: KafkaRequest>(
        to target: Cluster.Target, limit: Int16 = .max, deadline: Int64? = nil,
        _ make: @escaping @Sendable (_ version: Int16) -> Request
    ) async throws(KafkaClientError) -> Request.Response {
        let completion = Completion<Request.Response>()
        onLoop { cluster in
            cluster.connection(to: target) { opened in
                do throws(KafkaClientError) {
                    let connection = try opened.get()
                    let version = try connection.version(of: Request.self, limit: limit)
                    connection.send(make(version), version: version, deadline: deadline) { result in
                        completion.complete(result.map(\.body))
                    }
                } catch {
                    completion.complete(.failure(error))
                }
            }
        }
        return try await completion.value()
    }

    /// Asks about topics (nil for all) once.
    func metadata(
        of topics: [String]?, mayCreate: Bool = false
    ) async throws(KafkaClientError) -> MetadataState.Answer {
        let completion = Completion<MetadataState.Answer>()
        onLoop { cluster in
            cluster.refreshMetadata(topics: topics, mayCreate: mayCreate) { completion.complete($0) }
        }
        return try await completion.value()
    }

    /// When an operation that starts now must be over.
    var operationDeadline: Int64 { Time.monotonicMilliseconds() + settings.operationTimeoutMilliseconds }

    /// Repeats an operation while it fails in ways that pass, until the deadline.
    func retrying<Value: Sendable>(
        until deadline: Int64, while mayPass: (KafkaClientError) -> Bool = { $0.isRetriable },
        _ operation: () async throws(KafkaClientError) -> Value
    ) async throws(KafkaClientError) -> Value {
        var backoff = Backoff(
            firstMilliseconds: settings.retryBackoffMilliseconds.lowerBound,
            mostMilliseconds: settings.retryBackoffMilliseconds.upperBound)
        while true {
            do throws(KafkaClientError) {
                return try await operation()
            } catch {
                let wait = backoff.failed(random: .random(in: 0 ... .max))
                guard mayPass(error), Time.monotonicMilliseconds() + wait < deadline else { throw error }
                logger.debug("trying again", metadata: ["reason": "\(error)", "wait_ms": "\(wait)"])
                try await pause(milliseconds: wait)
            }
        }
    }

    /// The state of a topic, asked for until it has partitions.
    func topic(
        named name: String, mayCreate: Bool, deadline: Int64
    ) async throws(KafkaClientError) -> MetadataState.Topic {
        try await retrying(until: deadline) { () async throws(KafkaClientError) in
            let answer = try await metadata(of: [name], mayCreate: mayCreate)
            if let topic = answer.topics.first(where: { $0.name == name }), !topic.partitions.isEmpty { return topic }
            let code = ErrorCode(rawValue: answer.failures[name] ?? ErrorCode.unknownTopicOrPartition.rawValue)
            // A topic that is missing and may not be created will not appear by asking again; one that is being
            // created answers UNKNOWN_TOPIC_OR_PARTITION or LEADER_NOT_AVAILABLE for a moment.
            if code == .unknownTopicOrPartition, !mayCreate {
                throw KafkaClientError(
                    .unknownTopic, "topic \"\(name)\" does not exist: create it with `millrace topic create \(name)`")
            }
            throw .refused(code, "topic \"\(name)\"")
        }
    }

    private func pause(milliseconds: Int64) async throws(KafkaClientError) {
        do {
            try await Task.sleep(for: .milliseconds(milliseconds))
        } catch {
            throw KafkaClientError(.cancelled, "the waiting task was cancelled")
        }
    }
}
