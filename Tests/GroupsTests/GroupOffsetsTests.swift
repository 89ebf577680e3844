import MillraceTesting
import Testing

@testable import Groups

@Suite struct GroupOffsetsTests {
    private let place = GroupTopicPartition(topic: "t", partition: 3)
    private let other = GroupTopicPartition(topic: "u", partition: 0)

    private func value(_ offset: Int64, at time: Int64 = 0, expires: Int64? = nil) -> CommittedOffset {
        CommittedOffset(
            offset: offset, leaderEpoch: 0, metadata: "", commitMilliseconds: time, expireMilliseconds: expires)
    }

    @Test func aCommitIsSeenOnceItIsSynced() {
        var offsets = GroupOffsets()
        offsets.append(place, value(7), at: 10)
        #expect(offsets.offset(place) == nil && offsets.contains(place) && !offsets.isEmpty)
        #expect(offsets.newest() == [place: value(7)])
        offsets.confirm(place, value(7), at: 10)
        #expect(offsets.offset(place)?.offset == 7 && offsets.count == 1 && offsets.pending.isEmpty)
    }

    @Test func theLogDecidesWhichIsNewer() {
        var offsets = GroupOffsets()
        offsets.append(place, value(7), at: 10)
        offsets.append(place, value(5), at: 11)
        offsets.confirm(place, value(5), at: 11)
        #expect(offsets.offset(place)?.offset == 5, "a reset goes back on purpose")
        offsets.confirm(place, value(7), at: 10)
        #expect(offsets.offset(place)?.offset == 5 && offsets.count == 1 && offsets.pendingCount == 0)
    }

    @Test func whatIsNeverSyncedIsNeverSeen() {
        var offsets = GroupOffsets()
        offsets.append(place, value(7), at: 10)
        offsets.confirm(place, value(7), at: 10)
        offsets.append(place, value(8), at: 11)
        offsets.abandon(place, at: 11)
        #expect(offsets.newest() == [place: value(7)] && offsets.pendingCount == 0)
        offsets.append(other, value(1), at: 12)
        offsets.abandon(other, at: 12)
        #expect(offsets.offset(other) == nil)
        offsets.remove(place, at: 13)
        #expect(!offsets.isEmpty && offsets.places == [other], "a restart may find it")
        offsets.remove(other, at: 14)
        #expect(offsets.isEmpty)
    }

    @Test func aDeletionWinsOverWhatWasUnderWayBefore() {
        var offsets = GroupOffsets()
        offsets.append(place, value(7), at: 10)
        offsets.append(other, value(1), at: 11)
        offsets.remove(place, at: 12)
        offsets.append(place, value(9), at: 13)
        offsets.confirm(place, value(7), at: 10)
        #expect(offsets.offset(place) == nil)
        offsets.confirm(place, value(9), at: 13)
        offsets.confirm(other, value(1), at: 11)
        #expect(offsets.offset(place)?.offset == 9 && offsets.count == 2)
        offsets.remove(place, at: 14)
        offsets.remove(other, at: 15)
        #expect(offsets.isEmpty && offsets.committed.isEmpty)
    }

    @Test func agesAreCountedFromTheRightTime() {
        var offsets = GroupOffsets()
        offsets.load(place, value(1, at: 1_000), at: 0)
        offsets.load(other, value(1, at: 5_000), at: 1)
        let third = GroupTopicPartition(topic: "u", partition: 1)
        offsets.load(third, value(1, at: 0, expires: 9_000), at: 2)
        func expired(_ expiry: GroupOffsets.Expiry, _ now: Int64) -> [GroupTopicPartition] {
            offsets.expired(expiry, now: now, retention: 1_000)
        }
        #expect(expired(.never, 1 << 50) == [])
        #expect(expired(.sinceCommit(subscribed: []), 1_999) == [])
        #expect(expired(.sinceCommit(subscribed: []), 2_000) == [place])
        #expect(expired(.sinceCommit(subscribed: ["t"]), 20_000) == [other, third])
        #expect(expired(.sinceEmpty(7_000), 7_999) == [])
        #expect(expired(.sinceEmpty(7_000), 8_000) == [place, other])
        #expect(expired(.sinceEmpty(7_000), 9_000) == [place, other, third])
        offsets.append(place, value(2, at: 8_000), at: 3)
        #expect(expired(.sinceEmpty(7_000), 9_000) == [other, third], "a commit is under way")
    }

    @Test func deadlinesComeInOrderAndOnce() {
        var deadlines = GroupDeadlines()
        let handles = (0..<200).map {
            GroupHandle(ConsumerGroup(id: "\($0)", settings: GroupSettings()), partition: 0)
        }
        for (index, handle) in handles.enumerated() { deadlines.set(handle, Int64(index * 7919 % 200)) }
        for (index, handle) in handles.enumerated() where index % 3 == 0 { deadlines.set(handle, Int64(index)) }
        for handle in handles[100...] { deadlines.remove(handle) }
        #expect(deadlines.count == 100)
        var times: [Int64] = []
        while let first = deadlines.first {
            #expect(deadlines.takeDue(now: first - 1) == nil)
            _ = deadlines.takeDue(now: first)
            times.append(first)
        }
        let expected: [Int64] = (0..<100).map { (index: Int) -> Int64 in
            if index % 3 == 0 { return Int64(index) }
            return Int64(index * 7919 % 200)
        }
        #expect(times == expected.sorted())
    }
}
