import KafkaWire
import Testing

@testable import KafkaClient

@Suite struct MetadataStateTests {
    private let id = Uuid(high: 1, low: 2)

    private func answer(
        leader: Int32?, epoch: Int32, id: Uuid, brokers: [Int32] = [1, 2], askedAt: Int64 = 0
    ) -> MetadataState.Answer {
        var answer = MetadataState.Answer(clusterID: "c", controller: 1)
        for broker in brokers { answer.brokers[broker] = BrokerAddress(host: "h\(broker)", port: 9092) }
        let partition = MetadataState.Partition(
            leader: leader, leaderEpoch: epoch, replicas: [1], inSyncReplicas: [1], errorCode: 0)
        answer.topics = [
            MetadataState.Topic(
                name: "t", id: id, isInternal: false, partitions: [partition], askedAtMilliseconds: askedAt)
        ]
        return answer
    }

    @Test func findsLeaders() {
        var state = MetadataState(maximumAgeMilliseconds: 1_000)
        #expect(state.leader(of: 0, in: "t") == .ask)
        state.apply(answer(leader: 1, epoch: 3, id: id))
        #expect(state.leader(of: 0, in: "t") == .known(1, epoch: 3))
        #expect(state.leader(of: 1, in: "t") == .noSuchPartition)
        state.apply(answer(leader: nil, epoch: 4, id: id))
        #expect(state.leader(of: 0, in: "t") == .ask)
        state.apply(answer(leader: 9, epoch: 5, id: id))
        #expect(state.leader(of: 0, in: "t") == .ask, "a leader that is no known broker cannot be asked")
    }

    @Test func aBrokerThatLagsDoesNotBringBackAnOldLeader() {
        var state = MetadataState(maximumAgeMilliseconds: 1_000)
        state.apply(answer(leader: 2, epoch: 5, id: id))
        state.apply(answer(leader: 1, epoch: 4, id: id))
        #expect(state.leader(of: 0, in: "t") == .known(2, epoch: 5))
        let another = Uuid(high: 3, low: 4)
        state.apply(answer(leader: 1, epoch: 0, id: another))
        #expect(state.leader(of: 0, in: "t") == .known(1, epoch: 0), "a new topic of that name counts from 0")
        #expect(state.name(of: another) == "t")
        #expect(state.name(of: id) == nil)
    }

    @Test func tellsWhatMustBeAskedAgain() {
        var state = MetadataState(maximumAgeMilliseconds: 1_000)
        #expect(state.due(inUse: ["t"], now: 0) == ["t"])
        state.apply(answer(leader: 1, epoch: 0, id: id, askedAt: 0))
        #expect(state.due(inUse: ["t"], now: 999) == [])
        #expect(state.due(inUse: ["t"], now: 1_000) == ["t"])
        state.distrust("t")
        #expect(state.due(inUse: ["t"], now: 1) == ["t"])
        state.apply(answer(leader: 1, epoch: 0, id: id, askedAt: 2))
        #expect(state.due(inUse: ["t"], now: 3) == [])
    }

    @Test func forgetsATopicThatIsGone() {
        var state = MetadataState(maximumAgeMilliseconds: 1_000)
        state.apply(answer(leader: 1, epoch: 0, id: id))
        var gone = MetadataState.Answer()
        gone.failures = ["t": 3]
        state.apply(gone)
        #expect(state.topics.isEmpty)
        #expect(state.name(of: id) == nil)
        #expect(state.brokers.count == 2, "an answer without brokers changes none")
    }

    @Test func anAnswerIsReadWhateverTheOrderOfItsPartitions() throws {
        var topic = MetadataResponse.MetadataResponseTopic()
        topic.partitions = ([2, 0, 1_000_000] as [Int32]).map { index in
            var partition = MetadataResponse.MetadataResponsePartition()
            partition.partitionIndex = index
            partition.leaderId = index
            return partition
        }
        let state = topic.state(name: "t", askedAt: 0)
        #expect(state.partitions.map(\.leader) == [0, nil, 2], "far-off numbers do not allocate")
    }
}
