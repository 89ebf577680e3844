import KafkaWire
import MillraceTesting
import SimulatedMachine
import Testing

@testable import KafkaClient
@testable import ServeKafka

@Suite struct FetchSessionStateTests {
    private func entries(_ offsets: [TopicPartition: Int64]) -> [FetchState.Entry] {
        offsets.sorted { $0.key < $1.key }.map {
            FetchState.Entry(partition: $0.key, offset: $0.value, generation: 1)
        }
    }

    private func plan(
        _ state: inout FetchSessionState, _ offsets: [TopicPartition: Int64], ids: [String: Uuid] = [:]
    ) -> String {
        let plan = state.plan(entries(offsets), ids: ids, usesTopicIDs: !ids.isEmpty)
        let named = plan.named.map { " \($0.partition)@\($0.offset)" }.joined()
        return "\(plan.sessionID)/\(plan.epoch)\(named)" + plan.forgotten.map { " -\($0.partition)" }.joined()
    }

    private let a = TopicPartition("a", 0)
    private let b = TopicPartition("b", 0)

    @Test func onlyWhatChangesIsNamed() {
        var state = FetchSessionState()
        #expect(plan(&state, [a: 0, b: 0]) == "0/0 \(a)@0 \(b)@0")
        state.answered(.none, sessionID: 7)
        #expect(plan(&state, [a: 0, b: 0]) == "7/1")
        state.answered(.none, sessionID: 7)
        #expect(plan(&state, [a: 5, b: 0]) == "7/2 \(a)@5")
        state.answered(.none, sessionID: 7)
        #expect(plan(&state, [a: 5]) == "7/3 -\(b)")
        state.answered(.none, sessionID: 7)
        #expect(plan(&state, [a: 5, b: 3]) == "7/4 \(b)@3")
    }

    @Test func withoutASessionEveryRequestIsWhole() {
        var state = FetchSessionState()
        for _ in 0..<3 {
            #expect(plan(&state, [a: 1]) == "0/0 \(a)@1")
            state.answered(.none, sessionID: 0)
        }
    }

    @Test func failuresBeginAnew() {
        var state = FetchSessionState()
        func begin(_ expected: String) {
            #expect(plan(&state, [a: 1]) == expected)
            state.answered(.none, sessionID: 7)
        }
        begin("0/0 \(a)@1")
        _ = plan(&state, [a: 1])
        state.failed()
        // The old session is named, which closes it.
        begin("7/0 \(a)@1")
        _ = plan(&state, [a: 1])
        state.answered(.invalidFetchSessionEpoch, sessionID: 7)
        begin("7/0 \(a)@1")
        _ = plan(&state, [a: 1])
        state.answered(.fetchSessionIdNotFound, sessionID: 0)
        begin("0/0 \(a)@1")
    }

    @Test func topicsMadeAgainAndNamesAreTakenCareOf() {
        var state = FetchSessionState()
        let (old, new) = (Uuid(high: 1, low: 1), Uuid(high: 2, low: 2))
        #expect(plan(&state, [a: 4], ids: ["a": old]) == "0/0 \(a)@4")
        state.answered(.none, sessionID: 7)
        #expect(plan(&state, [a: 4], ids: ["a": new]) == "7/1 \(a)@4 -\(a)")
        state.answered(.none, sessionID: 7)
        #expect(plan(&state, [a: 4]) == "7/0 \(a)@4")
    }

    /// Against the broker's own session: it always knows what the client wants.
    @Test(arguments: SimulationSeeds.chosen(100))
    func theBrokerKnowsWhatIsWanted(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var state = FetchSessionState()
        var session = FetchSession(usesTopicIDs: false)
        for _ in 0..<60 {
            var offsets: [TopicPartition: Int64] = [a: .random(in: 0..<3, using: &random)]
            for index: Int32 in 1..<8 where Bool.random(using: &random) {
                offsets[TopicPartition("a", index)] = .random(in: 0..<3, using: &random)
            }
            let plan = state.plan(entries(offsets), ids: [:], usesTopicIDs: false)
            if Int.random(in: 0..<10, using: &random) == 0 {
                state.failed()
                continue
            }
            let request = Self.request(plan)
            if plan.epoch == 0 {
                session = FetchSession(usesTopicIDs: false)
                session.begin(request, Self.silence(request))
            } else {
                #expect(session.take(request, version: 12) == nil, "seed \(seed)")
            }
            state.answered(.none, sessionID: 7)
            var known: [TopicPartition: Int64] = [:]
            session.forEach { _, part in
                known[TopicPartition(part.topic.name, part.asked.partition)] = part.asked.fetchOffset
            }
            #expect(known == offsets, "seed \(seed)")
        }
    }

    private static func request(_ plan: FetchSessionState.Plan) -> FetchRequest {
        var request = FetchRequest()
        request.sessionId = plan.sessionID
        request.sessionEpoch = plan.epoch
        for entry in plan.named {
            var topic = FetchRequest.FetchTopic()
            topic.topic = entry.partition.topic
            topic.partitions = [.init()]
            topic.partitions[0].partition = entry.partition.partition
            topic.partitions[0].fetchOffset = entry.offset
            request.topics.append(topic)
        }
        for one in plan.forgotten {
            var topic = FetchRequest.ForgottenTopic()
            topic.topic = one.partition.topic
            topic.partitions = [one.partition.partition]
            request.forgottenTopicsData.append(topic)
        }
        return request
    }

    /// A response that tells nothing of every partition.
    private static func silence(_ request: FetchRequest) -> FetchResponse {
        var response = FetchResponse()
        response.responses = request.topics.map { topic in
            var group = FetchResponse.FetchableTopicResponse()
            group.partitions = topic.partitions.map { _ in FetchResponse.PartitionData() }
            return group
        }
        return response
    }
}
