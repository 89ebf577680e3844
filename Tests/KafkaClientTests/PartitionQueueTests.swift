import KafkaWire
import Testing

@testable import KafkaClient

/// Transcripts of one partition: what is enqueued, what goes out under which number, what comes back.
@Suite struct PartitionQueueTests {
    private let one = ProducerIdentity(id: 7, epoch: 0)
    private let two = ProducerIdentity(id: 7, epoch: 1)
    /// No change by the spread of waits.
    private let middle: UInt64 = 200

    private func queue(isIdempotent: Bool = true, limit: Int = 5) -> PartitionQueue {
        let backoff = Backoff(firstMilliseconds: 100, mostMilliseconds: 1_000)
        return PartitionQueue(limit: limit, isIdempotent: isIdempotent, backoff: backoff)
    }

    private func filled(_ counts: [Int32], isIdempotent: Bool = true, limit: Int = 5) -> PartitionQueue {
        var queue = queue(isIdempotent: isIdempotent, limit: limit)
        for (id, count) in counts.enumerated() {
            queue.enqueue(id: id, recordCount: count, deadline: 10_000, isReady: true)
        }
        return queue
    }

    /// Everything that may be sent now, as `batch@sequence` with the epoch.
    private func send(_ queue: inout PartitionQueue, _ identity: ProducerIdentity, now: Int64 = 0) -> [String] {
        var sent: [String] = []
        while let next = queue.send(identity: identity, now: now) {
            sent.append("\(next.id)@\(next.sequence)/\(next.identity.epoch)")
        }
        return sent
    }

    @Test func numbersCountRecords() {
        var queue = filled([10, 1, 5])
        #expect(send(&queue, one) == ["0@0/0", "1@10/0", "2@11/0"])
    }

    @Test func numbersWrapToZero() {
        var queue = filled([.max, 5, 1])
        #expect(send(&queue, one) == ["0@0/0", "1@2147483647/0", "2@4/0"])
    }

    @Test func atMostFiveAreUnresolved() {
        var queue = filled(Array(repeating: 1, count: 7))
        #expect(send(&queue, one).count == 5)
        #expect(queue.resolve(id: 0, .written, now: 0, random: middle) == .succeeded)
        #expect(send(&queue, one) == ["5@5/0"])
    }

    @Test func aBatchThatIsStillCompressedHoldsThoseBehindIt() {
        var queue = queue()
        queue.enqueue(id: 0, recordCount: 1, deadline: 10_000, isReady: false)
        queue.enqueue(id: 1, recordCount: 1, deadline: 10_000, isReady: true)
        #expect(send(&queue, one) == [])
        queue.ready(id: 0)
        #expect(send(&queue, one) == ["0@0/0", "1@1/0"])
    }

    @Test func aRepetitionKeepsItsNumberAndGoesAlone() {
        var queue = filled([2, 2, 2, 2])
        _ = queue.send(identity: one, now: 0)
        _ = queue.send(identity: one, now: 0)
        #expect(queue.resolve(id: 0, .retriable, now: 0, random: middle) == .again)
        #expect(queue.resolve(id: 1, .sequenceRejected, now: 0, random: middle) == .again)
        #expect(send(&queue, one, now: 50) == [], "the wait is not over")
        #expect(send(&queue, one, now: 100) == ["0@0/0"], "only the oldest, and nothing new beside it")
        #expect(queue.resolve(id: 0, .written, now: 100, random: middle) == .succeeded)
        #expect(send(&queue, one, now: 100) == ["1@2/0"])
        #expect(queue.resolve(id: 1, .written, now: 100, random: middle) == .succeeded)
        #expect(send(&queue, one, now: 100) == ["2@4/0", "3@6/0"])
    }

    @Test func anAnswerThatWasLostIsADuplicateAndCountsAsWritten() {
        var queue = filled([3])
        _ = send(&queue, one)
        _ = queue.resolve(id: 0, .retriable, now: 0, random: middle)
        #expect(send(&queue, one, now: 200) == ["0@0/0"])
        // DUPLICATE_SEQUENCE_NUMBER maps to `.written`.
        #expect(PartitionQueue.Outcome(.duplicateSequenceNumber) == .written)
        #expect(queue.resolve(id: 0, .written, now: 200, random: middle) == .succeeded)
        #expect(queue.isEmpty)
    }

    @Test func aRejectedNumberOfTheOldestStartsANewEpoch() {
        var queue = filled([4, 4, 4])
        _ = queue.send(identity: one, now: 0)
        _ = queue.send(identity: one, now: 0)
        #expect(queue.resolve(id: 0, .sequenceRejected, now: 0, random: middle) == .again)
        #expect(!queue.needsNewIdentity(current: one), "another batch is still under way")
        #expect(queue.resolve(id: 1, .sequenceRejected, now: 0, random: middle) == .again)
        #expect(queue.needsNewIdentity(current: one))
        #expect(send(&queue, one) == [], "nothing more goes out under the old name")
        #expect(send(&queue, two) == ["0@0/1", "1@4/1", "2@8/1"])
        #expect(!queue.needsNewIdentity(current: two))
    }

    @Test func aBatchThatFailedForGoodLeavesAGapThatTheNextOneHeals() {
        var queue = filled([1, 1])
        _ = send(&queue, one)
        #expect(queue.resolve(id: 0, .rejected, now: 0, random: middle) == .failed)
        #expect(queue.resolve(id: 1, .sequenceRejected, now: 0, random: middle) == .again)
        #expect(queue.needsNewIdentity(current: one))
        #expect(send(&queue, two) == ["1@0/1"])
    }

    @Test func aBatchThatIsTooLargeIsSplitUnderItsNumbers() {
        var queue = filled([4, 2, 1])
        #expect(send(&queue, one) == ["0@0/0", "1@4/0", "2@6/0"])
        queue.enqueue(id: 3, recordCount: 1, deadline: 10_000, isReady: true)
        #expect(queue.resolve(id: 0, .tooLarge, now: 0, random: middle) == .split)
        #expect(queue.resolve(id: 1, .sequenceRejected, now: 0, random: middle) == .again)
        #expect(queue.resolve(id: 2, .sequenceRejected, now: 0, random: middle) == .again)
        #expect(send(&queue, one) == [], "its place is held")
        queue.split(id: 0, into: [(10, 3), (11, 1)])
        #expect(send(&queue, one) == ["10@0/0"])
        #expect(queue.resolve(id: 10, .tooLarge, now: 0, random: middle) == .split)
        queue.split(id: 10, into: [(12, 1), (13, 2)])
        for (id, sent) in [(12, "12@0/0"), (13, "13@1/0"), (11, "11@3/0"), (1, "1@4/0"), (2, "2@6/0"), (3, "3@7/0")] {
            #expect(send(&queue, one) == [sent], "one after the other")
            #expect(queue.resolve(id: id, .written, now: 0, random: middle) == .succeeded)
        }
        #expect(queue.isEmpty && !queue.needsNewIdentity(current: one))
    }

    @Test func theNumbersOfPartsWrapToZero() {
        var queue = filled([.max, 2])
        _ = send(&queue, one)
        #expect(queue.resolve(id: 0, .written, now: 0, random: middle) == .succeeded)
        #expect(queue.resolve(id: 1, .tooLarge, now: 0, random: middle) == .split)
        queue.split(id: 1, into: [(10, 1), (11, 1)])
        #expect(send(&queue, one) == ["10@2147483647/0"])
        #expect(queue.resolve(id: 10, .written, now: 0, random: middle) == .succeeded)
        #expect(send(&queue, one) == ["11@0/0"])
    }

    @Test func aSingleRecordThatIsTooLargeFailsAndTheNextOnesAreNumberedAnew() {
        var queue = filled([2])
        _ = send(&queue, one)
        #expect(queue.resolve(id: 0, .tooLarge, now: 0, random: middle) == .split)
        queue.split(id: 0, into: [(10, 1), (11, 1)])
        #expect(send(&queue, one) == ["10@0/0"])
        #expect(queue.resolve(id: 10, .tooLarge, now: 0, random: middle) == .failed)
        #expect(send(&queue, one) == ["11@1/0"])
        #expect(queue.resolve(id: 11, .sequenceRejected, now: 0, random: middle) == .again)
        #expect(queue.needsNewIdentity(current: one))
        #expect(send(&queue, two) == ["11@0/1"])
    }

    @Test func anotherPartitionsNewEpochTakesEffectOnceNothingIsUnresolved() {
        var queue = filled([1, 1, 1])
        _ = queue.send(identity: one, now: 0)
        #expect(queue.send(identity: two, now: 0)?.identity == one)
        _ = queue.resolve(id: 0, .written, now: 0, random: middle)
        _ = queue.resolve(id: 1, .written, now: 0, random: middle)
        #expect(send(&queue, two) == ["2@0/1"])
    }

    @Test func lateBatchesAreGivenUpAndTheirAnswersIgnored() {
        var queue = queue()
        queue.enqueue(id: 0, recordCount: 1, deadline: 100, isReady: true)
        queue.enqueue(id: 1, recordCount: 1, deadline: 300, isReady: true)
        #expect(queue.nextEvent(now: 0) == 100)
        _ = send(&queue, one)
        #expect(queue.expire(now: 99).isEmpty)
        #expect(queue.expire(now: 100).map(\.id) == [0])
        #expect(queue.resolve(id: 0, .written, now: 101, random: middle) == .unknown)
        #expect(queue.resolve(id: 1, .written, now: 101, random: middle) == .succeeded)
    }

    @Test func waitsGrowWithEachFailure() {
        var queue = filled([1])
        var now: Int64 = 0
        var waits: [Int64] = []
        for _ in 0..<4 {
            _ = queue.send(identity: one, now: now)
            _ = queue.resolve(id: 0, .retriable, now: now, random: middle)
            let next = queue.nextEvent(now: now) ?? now
            waits.append(next - now)
            now = next
        }
        #expect(waits == [100, 200, 400, 800])
    }

    @Test func withoutIdempotenceNothingIsNumberedAndARejectedNumberIsFinal() {
        var queue = filled([2, 2], isIdempotent: false, limit: 1)
        #expect(send(&queue, .none) == ["0@-1/-1"])
        #expect(queue.resolve(id: 0, .sequenceRejected, now: 0, random: middle) == .failed)
        #expect(send(&queue, .none) == ["1@-1/-1"])
    }
}
