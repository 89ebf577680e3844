import Bytes
import KafkaWire
import NIOCore
import Testing

@testable import KafkaClient

/// Transcripts of a producer: batching, the buffer's bound, flushing, giving up.
@Suite struct ProducerStateTests {
    private static let middle: UInt64 = 200

    /// A producer of topic "t" whose partitions are all led by broker 1, which is connected.
    private struct Bench {
        var state: ProducerState
        let leaders: Leaders

        init(partitions: Int32 = 1, connected: Set<Int32> = [1], _ change: (inout ProducerSettings) -> Void = { _ in })
        {
            var settings = ProducerSettings()
            settings.isIdempotent = false
            settings.lingerMilliseconds = 10
            settings.deliveryTimeoutMilliseconds = 1_000
            change(&settings)
            state = ProducerState(settings: settings, retryBackoff: 100...1_000)
            state.learn(topic: "t", partitions: partitions, leaderless: [], seed: 1)
            var answer = MetadataState.Answer()
            answer.brokers = [1: BrokerAddress(host: "a", port: 1)]
            let partition = MetadataState.Partition(
                leader: 1, leaderEpoch: 0, replicas: [], inSyncReplicas: [], errorCode: 0)
            answer.topics = [
                MetadataState.Topic(
                    name: "t", id: .zero, isInternal: false,
                    partitions: Array(repeating: partition, count: Int(partitions)), askedAtMilliseconds: 0)
            ]
            var metadata = MetadataState(maximumAgeMilliseconds: 1_000)
            metadata.apply(answer)
            leaders = Leaders(metadata: metadata, connected: connected)
        }

        /// Adds records of these sizes; what is full is sealed at once.
        mutating func add(
            _ sizes: [Int], partition: Int32? = nil, now: Int64 = 0, turn: Int? = nil
        ) -> (Delivery, ProducerState.Step) {
            let records = sizes.map { Record(value: Array(repeating: 1, count: $0), partition: partition) }
            let delivery = Delivery(topic: "t", count: records.count, timestamps: .same(0))
            var followup = ProducerState.Followup()
            var next = 0
            let step = state.append(
                records, from: &next, of: delivery, turn: turn, now: now,
                deadline: now + state.settings.deliveryTimeoutMilliseconds, followup: &followup)
            seal(followup)
            return (delivery, step)
        }

        mutating func seal(_ followup: ProducerState.Followup) {
            for batch in followup.toSeal {
                if case .success(let bytes) = batch.seal() { state.sealed(id: batch.id, bytes: bytes) }
            }
        }

        /// Drains until nothing more is sealed; returns the batches sent.
        mutating func drain(now: Int64) -> [ProducerState.Outgoing] {
            var sent: [ProducerState.Outgoing] = []
            while true {
                let drained = state.drain(now: now, leaders: leaders)
                sent += drained.requests[1] ?? []
                for one in drained.settled { one.tell() }
                seal(drained.followup)
                if drained.followup.toSeal.isEmpty, drained.wakeAt != now { return sent }
            }
        }

        mutating func answer(_ id: Int, _ answer: ProducerState.BatchAnswer, now: Int64 = 0) {
            state.requestEnded(broker: 1)
            let resolution = state.resolve(id, answer, now: now, random: ProducerStateTests.middle)
            for one in resolution.settled { one.tell() }
            guard let oversized = resolution.oversized else { return }
            let parts = oversized.split(compression: .none, maximumBytes: 1 << 20)
            if case .success(let parts) = parts { state.split(id, into: parts) }
        }
    }

    private func isDone(_ step: ProducerState.Step) -> Bool {
        if case .done = step { true } else { false }
    }

    @Test func aBatchWaitsForCompanyUntilItsTimeIsUp() {
        var bench = Bench()
        _ = bench.add([10])
        _ = bench.add([10], now: 5)
        #expect(bench.drain(now: 9).isEmpty)
        #expect(bench.drain(now: 10).map(\.id) == [0])
        #expect(bench.state.batches[0]?.recordCount == 2)
    }

    @Test func aFullBatchLeavesAtOnce() {
        var bench = Bench { $0.batchBytes = 1_000 }
        _ = bench.add([600, 600, 100])
        #expect(bench.drain(now: 0).map(\.id) == [0], "the second is not full and lingers")
        #expect(bench.drain(now: 10).map(\.id) == [1])
    }

    @Test func aBatchThatCannotLeaveGoesOnGrowing() {
        var bench = Bench(connected: [])
        _ = bench.add([10])
        #expect(bench.drain(now: 50).isEmpty)
        _ = bench.add([10], now: 60)
        #expect(bench.state.batches.isEmpty, "still one open batch")
    }

    @Test func batchesOfAPartitionGoOutOneARequest() {
        var bench = Bench(partitions: 2) { $0.lingerMilliseconds = 0 }
        _ = bench.add([10], partition: 0)
        _ = bench.add([10], partition: 1)
        #expect(bench.drain(now: 0).map(\.partition).sorted() == [0, 1])
        #expect(bench.state.inFlight == [1: 1], "both in one request")
    }

    @Test func aRequestIsBounded() {
        var bench = Bench(partitions: 3) {
            $0.lingerMilliseconds = 0
            $0.maximumRequestBytes = 1_500
        }
        for partition in 0..<3 { _ = bench.add([1_000], partition: Int32(partition)) }
        #expect(bench.drain(now: 0).count == 3)
        #expect(bench.state.inFlight == [1: 3], "a request each")
    }

    @Test func offsetsAreTold() async throws {
        var bench = Bench { $0.lingerMilliseconds = 0 }
        let (first, _) = bench.add([1, 1])
        let (second, _) = bench.add([1])
        _ = bench.drain(now: 0)
        bench.answer(0, .init(outcome: .written, baseOffset: 100, logAppendTimeMilliseconds: 7))
        #expect(try await first.metadata().map(\.offset) == [100, 101])
        #expect(try await second.metadata().map(\.offset) == [102])
        #expect(try await second.metadata().map(\.timestampMilliseconds) == [7])
        #expect(bench.state.usedBytes == 0)
    }

    @Test func aBatchThatIsTooLargeIsSplitUntilSingleRecords() async throws {
        var bench = Bench { $0.lingerMilliseconds = 0 }
        let (first, _) = bench.add([10, 10])
        let (second, _) = bench.add([500, 10])
        let flush = bench.state.flush()
        #expect(bench.drain(now: 0).map(\.id) == [0])
        bench.answer(0, .init(outcome: .tooLarge))
        #expect(bench.drain(now: 0).map(\.id) == [1], "the two before the large one")
        bench.answer(1, .init(outcome: .written, baseOffset: 70))
        #expect(bench.drain(now: 0).map(\.id) == [2], "the large one")
        let refused = KafkaClientError(.refused, "too large", brokerCode: 10)
        bench.answer(2, .init(outcome: .tooLarge, error: refused))
        #expect(flush.result == nil, "one part is left")
        #expect(bench.drain(now: 0).map(\.id) == [3])
        bench.answer(3, .init(outcome: .written, baseOffset: 72))
        #expect(flush.result != nil)
        #expect(try await first.metadata().map(\.offset) == [70, 71])
        let outcomes = try await second.outcomes()
        #expect(throws: KafkaClientError.self) { try outcomes[0].get() }
        #expect(try outcomes[1].get().offset == 72)
        #expect(bench.state.usedBytes == 0 && bench.state.batches.isEmpty)
    }

    @Test func aBatchThatIsGivenUpWhileItIsSplitStaysGivenUp() {
        var bench = Bench { $0.lingerMilliseconds = 0 }
        _ = bench.add([10, 10])
        _ = bench.drain(now: 0)
        bench.state.requestEnded(broker: 1)
        let resolution = bench.state.resolve(0, .init(outcome: .tooLarge), now: 0, random: Self.middle)
        _ = bench.drain(now: 1_000)
        let parts = resolution.oversized?.split(compression: .none, maximumBytes: 1_000)
        if case .success(let parts) = parts { bench.state.split(0, into: parts) }
        #expect(bench.state.batches.isEmpty && bench.state.usedBytes == 0)
        #expect(bench.drain(now: 1_001).isEmpty)
    }

    @Test func aFullBufferMakesCallersWaitInOrder() throws {
        var bench = Bench {
            $0.lingerMilliseconds = 0
            $0.maximumRequestBytes = 1_024
            $0.bufferBytes = 1_024
            $0.maximumWaitingSends = 2
        }
        #expect(isDone(bench.add([900]).1))
        guard case .wait(let first) = bench.add([500]).1 else { throw Unexpected() }
        guard case .wait(let second) = bench.add([10]).1 else { throw Unexpected("a small one must not pass") }
        guard case .failed(let error) = bench.add([10]).1 else { throw Unexpected() }
        #expect(error.code == .bufferFull)
        _ = bench.drain(now: 0)
        #expect(first.turn.result == nil)
        bench.answer(0, .init(outcome: .written, baseOffset: 0))
        #expect(first.turn.result != nil && second.turn.result == nil, "one after the other")
        #expect(isDone(bench.add([500], turn: first.number).1))
        #expect(second.turn.result != nil)
    }

    @Test func aCallerThatGivesUpLetsTheNextOnePass() throws {
        var bench = Bench {
            $0.lingerMilliseconds = 0
            $0.maximumRequestBytes = 1_024
            $0.bufferBytes = 1_024
        }
        _ = bench.add([900])
        guard case .wait(let first) = bench.add([500]).1 else { throw Unexpected() }
        guard case .wait(let second) = bench.add([500]).1 else { throw Unexpected() }
        _ = bench.drain(now: 0)
        bench.answer(0, .init(outcome: .written))
        #expect(first.turn.result != nil)
        bench.state.abandon(waiter: first.number)
        #expect(second.turn.result != nil)
    }

    @Test func waitingForRoomEndsByTheDeliveryTimeout() throws {
        var bench = Bench {
            $0.maximumRequestBytes = 1_024
            $0.bufferBytes = 1_024
        }
        _ = bench.add([900], now: 500)
        guard case .wait(let waiter) = bench.add([500], now: 5).1 else { throw Unexpected() }
        #expect(bench.state.drain(now: 900, leaders: bench.leaders).expired.isEmpty)
        #expect(bench.state.drain(now: 1_005, leaders: bench.leaders).expired.map(\.number) == [waiter.number])
    }

    @Test func aRecordThatNeverFitsIsRefused() throws {
        var bench = Bench { $0.maximumRequestBytes = 1_024 }
        guard case .failed(let error) = bench.add([2_000]).1 else { throw Unexpected() }
        #expect(error.code == .invalid)
    }

    @Test func flushingEndsTheLingerAndWaitsForWhatCameBefore() {
        var bench = Bench { $0.lingerMilliseconds = 500 }
        _ = bench.add([10])
        let flush = bench.state.flush()
        #expect(bench.drain(now: 0).map(\.id) == [0])
        _ = bench.add([10])
        #expect(flush.result == nil)
        bench.answer(0, .init(outcome: .written))
        #expect(flush.result != nil, "what came later is not waited for")
        #expect(bench.drain(now: 0).isEmpty, "and lingers")
        var idle = Bench()
        #expect(idle.state.flush().result != nil)
    }

    @Test func whatIsNotAcknowledgedInTimeFails() async throws {
        var bench = Bench { $0.lingerMilliseconds = 0 }
        let (delivery, _) = bench.add([10])
        _ = bench.drain(now: 0)
        _ = bench.drain(now: 1_000)
        let outcomes = try await delivery.outcomes()
        #expect(throws: KafkaClientError.self) { try outcomes[0].get() }
        #expect(bench.state.usedBytes == 0)
    }

    @Test func closingFailsWhatIsLeft() async throws {
        var bench = Bench()
        let (delivery, _) = bench.add([10])
        _ = bench.state.finish(KafkaClientError(.closed, "closed"))
        for one in bench.state.abort(KafkaClientError(.closed, "closed")) { one.tell() }
        #expect(await code { () async throws(KafkaClientError) in _ = try await delivery.metadata() } == .closed)
        guard case .failed(let error) = bench.add([1]).1 else { throw Unexpected() }
        #expect(error.code == .closed)
    }

    @Test func anIdempotentProducerAsksForItsNameFirst() {
        var bench = Bench {
            $0.isIdempotent = true
            $0.lingerMilliseconds = 0
        }
        _ = bench.add([10])
        let asking = bench.state.drain(now: 0, leaders: bench.leaders)
        bench.seal(asking.followup)
        #expect(asking.asksIdentity && asking.requests.isEmpty)
        #expect(bench.drain(now: 0).isEmpty)
        bench.state.named(ProducerIdentity(id: 5, epoch: 0))
        #expect(bench.drain(now: 0).map(\.sequence) == [0])
    }

    @Test func aRejectedNumberRaisesTheEpochWithoutAsking() {
        var bench = Bench {
            $0.isIdempotent = true
            $0.lingerMilliseconds = 0
        }
        _ = bench.add([10])
        _ = bench.drain(now: 0)
        bench.state.named(ProducerIdentity(id: 5, epoch: 3))
        #expect(bench.drain(now: 0).count == 1)
        bench.answer(0, .init(outcome: .sequenceRejected))
        #expect(bench.drain(now: 0).map(\.sequence) == [0])
        #expect(bench.state.naming == .known(ProducerIdentity(id: 5, epoch: 4)))
    }

    private struct Unexpected: Error {
        init(_ what: String = "") {}
    }
}
