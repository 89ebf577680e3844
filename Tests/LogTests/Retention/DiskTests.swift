import Instruments
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Log

@Suite struct DiskReserveTests {
    private func capacity(_ available: Int64, of total: Int64 = 100_000) -> VolumeCapacity {
        VolumeCapacity(totalBytes: total, availableBytes: available)
    }

    @Test func writesStopBelowTheReserveAndGoOnWithATenthMore() {
        var reserve = DiskReserve(configured: 1_000)
        #expect(reserve.note(capacity(1_000)) == .none && !reserve.isReached)
        #expect(reserve.note(capacity(999)) == .reached && reserve.isReached)
        #expect(reserve.note(capacity(1_099)) == .none && reserve.isReached)
        #expect(reserve.note(capacity(1_100)) == .left && !reserve.isReached)
        #expect(reserve.note(capacity(1_000)) == .none && !reserve.isReached)
    }

    @Test func theDefaultFollowsTheDisk() {
        let reserve = DiskReserve(configured: nil)
        #expect(reserve.bytes(on: capacity(0, of: 1 << 20)) == (1 << 20) / 20)
        #expect(reserve.bytes(on: capacity(0, of: 1 << 40)) == 1 << 30)
        var none = DiskReserve(configured: 0)
        #expect(none.note(capacity(0)) == .none && !none.isReached)
    }
}

@Suite struct DiskShareTests {
    private func segments(_ list: [(bytes: Int64, time: Int64)]) -> [DiskShare.Candidate] {
        list.enumerated().map { index, segment in
            DiskShare.Candidate(
                sizeBytes: segment.bytes, maxTimestamp: segment.time, endOffset: Int64(index + 1) * 10)
        }
    }

    @Test func theOldestGoFirstWhereverTheyStand() {
        var share = DiskShare()
        share.add(segments([(100, 5), (100, 20)]), growing: 50, partition: 0)
        share.add(segments([(100, 10), (100, 15)]), growing: 50, partition: 1)
        #expect(share.totalBytes == 500 && share.removableBytes == 400)
        #expect(share.cuts(toFit: 500) == [:])
        #expect(share.cuts(toFit: 499) == [0: 10])
        #expect(share.cuts(toFit: 300) == [0: 10, 1: 10])
        #expect(share.cuts(toFit: 200) == [0: 10, 1: 20])
        #expect(share.cuts(toFit: 0) == [0: 20, 1: 20])
    }

    /// An old timestamp behind a new one must not tear a hole: only a prefix of a partition can go.
    @Test func timesThatGoBackRemoveNoSegmentBeforeItsElders() {
        var share = DiskShare()
        share.add(segments([(100, 50), (100, 1)]), growing: 0, partition: 0)
        share.add(segments([(100, 40)]), growing: 0, partition: 1)
        #expect(share.cuts(toFit: 200) == [1: 10])
        #expect(share.cuts(toFit: 100) == [0: 10, 1: 10])
    }
}

@Suite struct DiskTests {
    @Test func aNearlyFullDiskRefusesWritesAndNothingElse() throws {
        let site = Site()
        site.simulation.setCapacity(bytes: 10 << 20)
        var settings = LogSettings()
        settings.diskReserveBytes = 4 << 20
        let (log, partition) = try site.openWithTopic(settings)
        try partition.append(batch(["a"]))
        log.flushDirty()
        log.checkDisk()
        #expect(!log.isDiskShort && log.diskReserveBytes == 4 << 20)
        let filler = try site.simulation.machine.files.open("/data/filler", .create)
        try filler.truncate(to: 7 << 20)
        log.checkDisk()
        #expect(log.isDiskShort && site.messages().contains { $0.contains("the disk is full") })
        let error = #expect(throws: LogError.self) { try partition.append(batch(["b"])) }
        #expect(error?.code == .noSpace && log.statistics.refusedForSpace.value == 1)
        #expect(try partition.values() == ["a"])
        try log.deleteTopic(try log.createTopic("other", partitions: 1, configs: [:]).id)
        try filler.truncate(to: 0)
        log.checkDisk()
        #expect(try partition.append(batch(["b"])).baseOffset == 1)
        #expect(site.messages().contains { $0.contains("the disk has room again") })
    }

    @Test func aTopicKeepsToItsShareAndLosesTheOldestFirst() throws {
        let site = Site()
        site.simulation.setCapacity(bytes: 100 << 20)
        let log = try site.open()
        let topic = try log.createTopic(
            "t", partitions: 2,
            configs: ["millrace.retention.disk.percent": "10", "segment.bytes": "\(2 << 20)"])
        let value = String(repeating: "v", count: 500_000)
        for number in 0..<60 {
            let time = epochStart + Int64(number) * 1_000
            try topic.partitions[number % 2].append(batch([value], timestamp: time))
            log.flushDirty()
        }
        let removed = log.enforceDiskShares()
        #expect(removed > 0 && log.statistics.removals[.diskShare]?.bytes.value == UInt64(removed))
        let sizes = topic.partitions.map(\.sizeBytes)
        #expect(sizes.reduce(0, +) <= 10 << 20 && sizes.allSatisfy { $0 > 3 << 20 }, "\(sizes)")
        #expect(topic.partitions.allSatisfy { $0.logStartOffset > 0 && $0.logEndOffset == 30 })
        #expect(log.enforceDiskShares() == 0)
        site.simulation.crash()
        let again = try site.open()
        let starts = again.topic(named: "t")?.partitions.map(\.logStartOffset)
        #expect(starts == topic.partitions.map(\.logStartOffset))
    }

    @Test func aShareBelowOneSegmentHolds() throws {
        let site = Site()
        site.simulation.setCapacity(bytes: 100 << 20)
        let (log, partition) = try site.openWithTopic(
            LogSettings(), ["millrace.retention.disk.percent": "3"])
        let value = String(repeating: "v", count: 500_000)
        for _ in 0..<20 {
            try partition.append(batch([value]))
            log.flushDirty()
            log.enforceDiskShares()
        }
        #expect(partition.sizeBytes <= (3 << 20) && partition.logEndOffset == 20)
    }
}
