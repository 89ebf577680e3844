import KafkaWire
import Testing

@testable import KafkaClient

/// Transcripts of a consumer's positions.
@Suite struct FetchStateTests {
    private let a = TopicPartition("t", 0)
    private let b = TopicPartition("t", 1)
    private let middle: UInt64 = 200

    private func state(
        _ policy: ConsumerSettings.OutOfRangePolicy = .earliest, prefetchBytes: Int = 1_000
    ) -> FetchState {
        FetchState(prefetchBytes: prefetchBytes, outOfRangePolicy: policy, retryBackoff: 100...1_000)
    }

    private func leaders(_ brokers: [Int32?], connected: Set<Int32> = [1, 2]) -> Leaders {
        var metadata = MetadataState(maximumAgeMilliseconds: 1_000)
        let partitions = brokers.map { leader in
            MetadataState.Partition(leader: leader, leaderEpoch: 0, replicas: [], inSyncReplicas: [], errorCode: 0)
        }
        var answer = MetadataState.Answer()
        answer.brokers = [1: BrokerAddress(host: "a", port: 1), 2: BrokerAddress(host: "b", port: 2)]
        answer.topics = [
            MetadataState.Topic(
                name: "t", id: .zero, isInternal: false, partitions: partitions, askedAtMilliseconds: 0)
        ]
        metadata.apply(answer)
        return Leaders(metadata: metadata, connected: connected)
    }

    private func fetches(_ due: FetchState.Due) -> [String] {
        due.fetches.sorted { $0.key < $1.key }.flatMap { broker, entries in
            entries.sorted { $0.partition < $1.partition }.map { "\(broker): \($0.partition)@\($0.offset)" }
        }
    }

    /// The single entry of the single request.
    private func entry(_ due: FetchState.Due) throws -> FetchState.Entry {
        try #require(due.fetches.values.first?.first)
    }

    @Test func anOffsetNeedsNoLookup() {
        var state = state()
        state.assign(a, from: .offset(5), to: nil)
        state.assign(b, from: .latest, to: nil)
        let due = state.due(now: 0, buffered: 0, leaders: leaders([1, 1]))
        #expect(fetches(due) == ["1: t-0@5"])
        #expect(due.lookups.map(\.partition) == [b])
        #expect(state.due(now: 0, buffered: 0, leaders: leaders([1, 1])).lookups.isEmpty, "asked once")
    }

    @Test func oneRequestPerBrokerAtATime() throws {
        var state = state()
        state.assign(a, from: .offset(0), to: nil)
        state.assign(b, from: .offset(0), to: nil)
        let first = state.due(now: 0, buffered: 0, leaders: leaders([1, 2]))
        #expect(fetches(first) == ["1: t-0@0", "2: t-1@0"])
        #expect(fetches(state.due(now: 0, buffered: 0, leaders: leaders([1, 2]))) == [])
        state.requestEnded(broker: 1)
        let answered = try #require(first.fetches[1]?.first)
        #expect(state.settle(answered, .records(next: 10), now: 0, random: middle) == .deliver)
        #expect(fetches(state.due(now: 0, buffered: 0, leaders: leaders([1, 2]))) == ["1: t-0@10"])
    }

    @Test func fetchingPausesWhileTheReaderIsBehind() {
        var state = state(prefetchBytes: 100)
        state.assign(a, from: .offset(0), to: nil)
        #expect(fetches(state.due(now: 0, buffered: 100, leaders: leaders([1]))) == [])
        #expect(fetches(state.due(now: 0, buffered: 99, leaders: leaders([1]))) == ["1: t-0@0"])
    }

    @Test func aMissingLeaderAndAMissingConnectionAreTold() {
        var state = state()
        state.assign(a, from: .offset(0), to: nil)
        #expect(state.due(now: 0, buffered: 0, leaders: leaders([nil])).leaderless == ["t"])
        #expect(state.due(now: 0, buffered: 0, leaders: leaders([2], connected: [1])).unconnected == [2])
    }

    @Test func readingEndsWhereItWasToldTo() throws {
        var state = state()
        state.assign(a, from: .earliest, to: .latest)
        let lookup = try #require(state.due(now: 0, buffered: 0, leaders: leaders([1])).lookups.first)
        state.resolved(lookup, from: 3, until: 10)
        let request = try entry(state.due(now: 0, buffered: 0, leaders: leaders([1])))
        state.requestEnded(broker: 1)
        #expect(!state.isOver)
        #expect(state.settle(request, .records(next: 12), now: 0, random: middle) == .deliver)
        #expect(state.isOver)
        #expect(fetches(state.due(now: 0, buffered: 0, leaders: leaders([1]))) == [])
    }

    @Test func anEmptyRangeIsOverAtOnce() throws {
        var state = state()
        state.assign(a, from: .earliest, to: .latest)
        let lookup = try #require(state.due(now: 0, buffered: 0, leaders: leaders([1])).lookups.first)
        state.resolved(lookup, from: 4, until: 4)
        #expect(state.isOver)
    }

    @Test func anAnswerFromBeforeASeekIsDropped() throws {
        var state = state()
        state.assign(a, from: .offset(0), to: nil)
        let old = try entry(state.due(now: 0, buffered: 0, leaders: leaders([1])))
        _ = state.seek(a, to: .offset(5))
        let isAssigned = state.seek(b, to: .offset(0))
        #expect(!isAssigned)
        state.requestEnded(broker: 1)
        #expect(state.settle(old, .records(next: 10), now: 0, random: middle) == .drop)
        #expect(fetches(state.due(now: 0, buffered: 0, leaders: leaders([1]))) == ["1: t-0@5"])
    }

    @Test func aPassingFailureWaits() throws {
        var state = state()
        state.assign(a, from: .offset(0), to: nil)
        let request = try entry(state.due(now: 0, buffered: 0, leaders: leaders([1])))
        state.requestEnded(broker: 1)
        #expect(state.settle(request, .retriable, now: 0, random: middle) == .drop)
        let early = state.due(now: 99, buffered: 0, leaders: leaders([1]))
        #expect(fetches(early) == [])
        #expect(early.wakeAt == 100)
        #expect(fetches(state.due(now: 100, buffered: 0, leaders: leaders([1]))) == ["1: t-0@0"])
    }

    @Test(arguments: [
        (ConsumerSettings.OutOfRangePolicy.earliest, OffsetSpec.earliest), (.latest, .latest),
    ])
    func outOfRangeLooksUpWhereToGoOn(policy: ConsumerSettings.OutOfRangePolicy, spec: OffsetSpec) throws {
        var state = state(policy)
        state.assign(a, from: .offset(9), to: nil)
        let request = try entry(state.due(now: 0, buffered: 0, leaders: leaders([1])))
        state.requestEnded(broker: 1)
        #expect(state.settle(request, .outOfRange, now: 0, random: middle) == .reset)
        let lookups = state.due(now: 200, buffered: 0, leaders: leaders([1])).lookups
        #expect(lookups.map(\.from) == [spec])
    }

    @Test func outOfRangeMayBeAnError() throws {
        var state = state(.fail)
        state.assign(a, from: .offset(9), to: nil)
        let request = try entry(state.due(now: 0, buffered: 0, leaders: leaders([1])))
        #expect(state.settle(request, .outOfRange, now: 0, random: middle) == .fail)
        state.requestEnded(broker: 1)
        #expect(fetches(state.due(now: 9_999, buffered: 0, leaders: leaders([1]))) == [])
    }

    @Test func everyPartitionComesFirstOnce() {
        var state = state()
        for index in 0..<4 { state.assign(TopicPartition("t", Int32(index)), from: .offset(0), to: nil) }
        var firsts: Set<Int32> = []
        for _ in 0..<4 {
            let due = state.due(now: 0, buffered: 0, leaders: leaders([1, 1, 1, 1]))
            for entry in due.fetches[1] ?? [] {
                if entry == due.fetches[1]?.first { firsts.insert(entry.partition.partition) }
                _ = state.settle(entry, .records(next: 0), now: 0, random: middle)
            }
            state.requestEnded(broker: 1)
        }
        #expect(firsts == [0, 1, 2, 3])
    }
}
