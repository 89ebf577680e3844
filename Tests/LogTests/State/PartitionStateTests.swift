import MillraceTesting
import Testing

@testable import Log

/// Transcripts: what a producer sends, and what the state says.
@Suite struct PartitionStateTests {
    /// "base" of an appended batch, "=base" of a repetition, or the error's code.
    private func send(
        _ state: inout PartitionState, _ producer: Int64, epoch: Int16 = 0, _ sequence: Int32, count: Int32 = 1,
        now: Int64 = 0
    ) -> String {
        var facts = BatchFacts()
        facts.producerID = producer
        facts.producerEpoch = epoch
        facts.baseSequence = sequence
        facts.lastOffsetDelta = count - 1
        facts.recordCount = count
        do throws(LogError) {
            switch try state.admit(facts) {
            case .append: return "\(state.append(facts, now: now))"
            case .duplicate(let batch): return "=\(batch.baseOffset)"
            }
        } catch {
            return "\(error.code)"
        }
    }

    @Test func aProducerCountsUp() {
        var state = PartitionState()
        #expect(send(&state, 1, 0, count: 3) == "0")
        #expect(send(&state, 1, 3, count: 2) == "3")
        #expect(send(&state, 1, 6) == "outOfOrderSequence")
        #expect(send(&state, 1, 5) == "5")
        #expect(state.logEndOffset == 6)
    }

    @Test func aRepetitionOfTheLastFiveIsAnsweredWithItsOffset() {
        var state = PartitionState()
        for sequence in 0..<7 as Range<Int32> { #expect(send(&state, 1, sequence) == "\(sequence)") }
        for sequence in 2..<7 as Range<Int32> { #expect(send(&state, 1, sequence) == "=\(sequence)") }
        #expect(send(&state, 1, 1) == "outOfOrderSequence")
        #expect(send(&state, 1, 5, count: 2) == "outOfOrderSequence", "not the same batch")
        #expect(state.logEndOffset == 7)
    }

    @Test func sequencesWrapAround() {
        var state = PartitionState()
        #expect(send(&state, 1, Int32.max - 1, count: 3) == "0")
        #expect(send(&state, 1, Int32.max - 1, count: 3) == "=0")
        #expect(send(&state, 1, 1) == "3")
        #expect(send(&state, 2, Int32.max) == "4")
        #expect(send(&state, 2, 0) == "5")
        #expect(Sequence.advance(Int32.max, by: 0) == Int32.max && Sequence.advance(Int32.max, by: 1) == 0)
    }

    @Test func aNewEpochBeginsWithZeroAndFencesTheOld() {
        var state = PartitionState()
        #expect(send(&state, 1, epoch: 3, 0) == "0")
        #expect(send(&state, 1, epoch: 4, 1) == "outOfOrderSequence")
        #expect(send(&state, 1, epoch: 4, 0) == "1")
        #expect(send(&state, 1, epoch: 3, 1) == "invalidProducerEpoch")
        #expect(send(&state, 1, epoch: 4, 0) == "=1")
        #expect(send(&state, 1, epoch: 4, 1) == "2")
    }

    @Test func theUnknownMayBeginAnywhere() {
        var state = PartitionState()
        #expect(send(&state, 1, 1_000) == "0")
        #expect(send(&state, 1, 1_001) == "1")
    }

    @Test func whoWasIdleLongestIsForgottenFirst() {
        var state = PartitionState(producerLimit: 2)
        #expect(send(&state, 1, 0) == "0")
        #expect(send(&state, 2, 0) == "1")
        #expect(send(&state, 1, 1) == "2")
        #expect(send(&state, 3, 0) == "3")
        #expect(state.producers.count == 2 && state.producers.evictions == 1)
        #expect(state.producers[2] == nil && state.producers[1] != nil)
        #expect(send(&state, 2, 77) == "4", "forgotten, so any sequence is taken")
    }

    @Test func theIdleAreForgottenAfterAWhile() {
        var state = PartitionState()
        _ = send(&state, 1, 0, now: 10)
        _ = send(&state, 2, 0, now: 20)
        _ = send(&state, 3, 0, now: 30)
        _ = send(&state, 1, 1, now: 40)
        state.removeIdleProducers(since: 30)
        #expect(state.producers.entries.map(\.producerID) == [1, 3])
    }

    @Test func replayingWhatWasAppendedGivesTheSameState() {
        var state = PartitionState()
        var replayed = PartitionState()
        for number in 0..<100 as Range<Int64> {
            var facts = BatchFacts()
            facts.producerID = number % 7
            facts.producerEpoch = 0
            facts.baseSequence = Int32(number / 7) * 2
            facts.lastOffsetDelta = 1
            facts.recordCount = 2
            facts.baseOffset = state.append(facts, now: 5)
            facts.leaderEpoch = 0
            replayed.replay(facts, now: 5)
        }
        #expect(replayed.logEndOffset == state.logEndOffset && replayed.epochs == state.epochs)
        #expect(replayed.producers.entriesOldestFirst == state.producers.entriesOldestFirst)
    }

    @Test func epochsTellWhereTheyEnd() {
        var epochs = LeaderEpochs()
        epochs.note(0, at: 0)
        epochs.note(0, at: 5)
        epochs.note(2, at: 10)
        epochs.note(5, at: 20)
        #expect(epochs.epoch(ofOffset: 9) == 0 && epochs.epoch(ofOffset: 10) == 2 && epochs.epoch(ofOffset: 99) == 5)
        #expect(epochs.end(of: 0, logEndOffset: 30)?.endOffset == 10)
        #expect(epochs.end(of: 3, logEndOffset: 30).map { [Int64($0.epoch), $0.endOffset] } == [2, 20])
        #expect(epochs.end(of: 9, logEndOffset: 30).map { [Int64($0.epoch), $0.endOffset] } == [5, 30])
        epochs.removeBelow(12)
        #expect(epochs.starts == [.init(epoch: 2, offset: 12), .init(epoch: 5, offset: 20)])
        #expect(epochs.epoch(ofOffset: 3) == -1)
    }

    @Test func epochsAreBounded() {
        var epochs = LeaderEpochs()
        for epoch in 0..<1_000 as Range<Int32> { epochs.note(epoch, at: Int64(epoch)) }
        #expect(epochs.starts.count == LeaderEpochs.limit && epochs.starts.last?.epoch == 999)
    }
}
