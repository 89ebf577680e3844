import Instruments
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Log

@Suite struct RetentionTests {
    private let hour: Int64 = 3_600_000

    @Test func oldSegmentsGoAndYoungOnesStay() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(
            LogSettings(), ["segment.bytes": "200", "retention.ms": "3600000"])
        for number in 0..<10 {
            try partition.append(batch(["\(number)"], timestamp: epochStart + Int64(number) * 60_000))
        }
        log.flushDirty()
        log.enforceRetention()
        #expect(partition.logStartOffset == 0)
        site.simulation.advance(milliseconds: hour + 4 * 60_000 + 1)
        log.enforceRetention()
        #expect(partition.logStartOffset == 4, "segments of two records each; the one with minute 4 and 5 stays")
        #expect(try partition.allValues() == (4..<10).map(String.init))
        let error = #expect(throws: LogError.self) {
            try partition.read(from: 3, maximumBytes: 1, atLeastOneBatch: true)
        }
        #expect(error?.code == .offsetOutOfRange)
        #expect(try site.names().filter { $0.hasSuffix(".log") }.count == 3)
        #expect(removed(log) == [.time: 2])
        #expect(log.statistics.removals[.time]?.bytes.value == UInt64(try batch(["0"]).count * 4))
    }

    /// The times of lines say nothing about how old a segment is.
    @Test(arguments: [0, 7_258_118_400_000] as [Int64])
    func linesOfAnyTimeStayAsLongAsAnyOther(timestamp: Int64) throws {
        let site = Site()
        let (log, _) = try site.openWithTopic()
        let topic = try log.createTopic(
            "lines", partitions: 1, configs: ["millrace.view": "search", "segment.bytes": "100"])
        let partition = topic.partitions[0]
        for number in 0..<4 { try partition.append(batch(["\(number)"], timestamp: timestamp)) }
        log.flushDirty()
        try partition.hold(from: 4, limitBytes: .max)
        site.simulation.advance(milliseconds: hour - 1_000)
        log.enforceRetention()
        #expect(partition.logStartOffset == 0)
        site.simulation.advance(milliseconds: 2_000)
        log.enforceRetention()
        #expect(partition.logStartOffset >= 3)
    }

    private func removed(_ log: CommitLog) -> [LogStatistics.RemovalReason: UInt64] {
        log.statistics.removals.mapValues(\.segments.value).filter { $0.value > 0 }
    }

    /// Each segment is counted once, for the reason that comes first.
    @Test func whatWentIsToldByReason() throws {
        let (log, partition) = try Site().openWithTopic(
            LogSettings(), ["segment.bytes": "100", "retention.bytes": "0", "retention.ms": "1"])
        for number in 0..<10 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        #expect(try log.deleteRecords([(partition, 4)])[0].get() == 4)
        #expect(removed(log) == [.deletedRecords: 4])
        log.enforceRetention()
        #expect(partition.logStartOffset >= 9)
        #expect(removed(log)[.deletedRecords] == 4 && removed(log)[.size] == 5)
    }

    @Test func anIdleLogEmptiesAndKeepsItsOffsets() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["retention.ms": "1000"])
        for number in 0..<5 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        site.simulation.advance(milliseconds: 5_000)
        log.enforceRetention()
        #expect(partition.logStartOffset == 5 && partition.highWatermark == 5)
        #expect(try partition.append(batch(["5"])).baseOffset == 5)
        log.flushDirty()
        #expect(try partition.values(from: 5) == ["5"])
        log.close()
        let (_, same) = try site.openWithTopic()
        #expect(same.logStartOffset == 5)
        #expect(try same.values(from: 5) == ["5"])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func aPowerCutAfterRetentionIsNoDamage(seed: UInt64) throws {
        let site = Site(seed: seed)
        let (log, partition) = try site.openWithTopic(LogSettings(), ["retention.ms": "1000"])
        for number in 0..<5 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        log.checkpoint()
        site.simulation.advance(milliseconds: 5_000)
        log.enforceRetention()
        site.simulation.cutPower()
        let (_, same) = try site.openWithTopic()
        #expect(same.fenceReason == nil && same.logEndOffset == 5)
        #expect(try same.append(batch(["5"])).baseOffset == 5)
    }

    @Test func bytesAreBounded() throws {
        let size = try batch(["0"]).count
        let (log, partition) = try Site().openWithTopic(
            LogSettings(), ["segment.bytes": "\(size * 2)", "retention.bytes": "\(size * 6)"])
        for number in 0..<10 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        log.enforceRetention()
        #expect(partition.sizeBytes == Int64(size * 6) && partition.logStartOffset == 4)
    }

    @Test func nothingGoesThatIsNotSynced() throws {
        let (log, partition) = try Site().openWithTopic(
            LogSettings(), ["segment.bytes": "100", "retention.bytes": "0"])
        for number in 0..<10 { try partition.append(batch(["\(number)"])) }
        log.enforceRetention()
        #expect(partition.logStartOffset == 0)
        log.flushDirty()
        log.enforceRetention()
        #expect(partition.logStartOffset == 9)
    }

    @Test func minusOneKeepsForEver() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "100", "retention.ms": "-1"])
        for number in 0..<5 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        site.simulation.advance(milliseconds: 1_000_000 * hour)
        log.enforceRetention()
        #expect(partition.logStartOffset == 0)
    }

    @Test func aSliceOfARemovedSegmentStillReads() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "100", "retention.bytes": "0"])
        for number in 0..<3 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        let slice = try partition.read(from: 0, maximumBytes: 1, atLeastOneBatch: true)
        log.enforceRetention()
        #expect(partition.logStartOffset == 2)
        var bytes = [UInt8](repeating: 0, count: slice.count)
        #expect(try bytes.withUnsafeMutableBytes { try slice.read(into: $0) } == slice.count)
    }

    @Test func aJumpOfTheClockDoesNotEmptyTheLog() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(
            LogSettings(), ["segment.bytes": "100", "retention.ms": "86400000"])
        for number in 0..<5 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        log.enforceRetention()
        site.simulation.jumpWallClock(byMilliseconds: 9_000 * hour)
        site.simulation.advance(milliseconds: 60_000)
        log.enforceRetention()
        log.enforceRetention()
        #expect(partition.logStartOffset == 0)
        #expect(site.messages().filter { $0.contains("jumped ahead") }.count == 1)
        site.simulation.advance(milliseconds: hour)
        log.enforceRetention()
        #expect(partition.logStartOffset == 5, "after an hour the new time is believed")
    }

    @Test func aJumpOverARestartIsSeenToo() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["retention.ms": "86400000"])
        try partition.append(batch(["a"]))
        log.close()
        site.simulation.jumpWallClock(byMilliseconds: 9_000 * hour)
        let (again, same) = try site.openWithTopic()
        again.enforceRetention()
        #expect(same.logStartOffset == 0)
    }

    /// The producer may not have heard that its batch was stored; it sends it again whatever happened in between.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func aProducerWhoseBatchesAreGoneIsStillKnown(seed: UInt64) throws {
        let site = Site(seed: seed)
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "100", "retention.bytes": "0"])
        log.checkpoint()
        let first = try batch(["once"], producer: 7, epoch: 0, sequence: 0)
        try partition.append(first)
        for number in 0..<3 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        log.enforceRetention()
        #expect(partition.logStartOffset == 3)
        try partition.append(batch(["later"]))
        log.checkpoint()
        seed % 2 == 0 ? site.simulation.cutPower() : site.simulation.crash()
        let (_, same) = try site.openWithTopic()
        #expect(try same.append(first).isDuplicate)
        let next = try batch(["next"], producer: 7, epoch: 0, sequence: 1)
        #expect(try !same.append(next).isDuplicate)
    }

    /// The removal is not synced, so a power cut keeps any of the files. The checkpoint tells that they are of no use.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func segmentsThatComeBackAfterAPowerCutAreRemoved(seed: UInt64) throws {
        let site = Site(seed: seed)
        let (log, partition) = try site.openWithTopic(
            LogSettings(), ["segment.bytes": "100", "retention.bytes": "100"])
        for number in 0..<12 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        log.enforceRetention()
        let start = partition.logStartOffset
        #expect(start == 10)
        site.simulation.cutPower()
        let report = try LogCheck.run(directory: "/data", machine: site.simulation.machine)
        #expect(report.findings.allSatisfy { $0.severity != .damage }, "\(report.findings)")
        let (_, same) = try site.openWithTopic()
        #expect(same.fenceReason == nil && same.logStartOffset == start)
        #expect(try same.allValues() == ["10", "11"])
        let bases = try site.names().compactMap { SegmentName.baseOffset(of: $0, .log) }
        let indexes = try site.names().compactMap { SegmentName.baseOffset(of: $0, .index) }
        #expect(bases == [10, 11] && indexes.allSatisfy { bases.contains($0) })
    }

    @Test func aPassOverManyPartitionsSyncsAFewTimes() throws {
        let site = Site()
        let log = try site.open()
        let topic = try log.createTopic(
            "t", partitions: 100, configs: ["segment.bytes": "100", "retention.bytes": "0"])
        for partition in topic.partitions {
            try partition.append(batch(["a"], producer: 1, epoch: 0, sequence: 0))
            for _ in 0..<4 { try partition.append(batch(["b"])) }
        }
        log.flushDirty()
        let syncs: [SimulatedOperation] = [.synchronize, .synchronizeDirectory, .synchronizeVolume]
        let before = syncs.reduce(0) { $0 + site.simulation.calls(of: $1) }
        log.enforceRetention()
        #expect(topic.partitions.allSatisfy { $0.logStartOffset == 4 })
        #expect(try site.names("/data/log/t/99").filter { $0.hasSuffix(".log") }.count == 1)
        #expect(syncs.reduce(0) { $0 + site.simulation.calls(of: $1) } - before <= 4)
    }

    @Test func aFullDiskDoesNotKeepRetentionFromMakingSpace() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "100", "retention.bytes": "0"])
        try partition.append(batch(["a"], producer: 1, epoch: 0, sequence: 0))
        for number in 0..<4 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        site.simulation.inject(SimulatedFault(.noSpace, at: [.open, .write], path: ".new", .from(1)))
        log.enforceRetention()
        #expect(try site.names().filter { $0.hasSuffix(".log") }.count == 1)
        site.simulation.clearFaults()
        site.simulation.cutPower()
        let (_, same) = try site.openWithTopic()
        #expect(same.fenceReason == nil && same.logStartOffset == 4 && same.logEndOffset == 5)
    }

    @Test func whatCannotBeRecordedIsNotRemovedYet() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "100", "retention.bytes": "0"])
        for number in 0..<4 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        site.simulation.inject(SimulatedFault(.device, at: [.rename], path: "checkpoint", .call(1)))
        log.enforceRetention()
        #expect(partition.logStartOffset == 3)
        #expect(try site.names().filter { $0.hasSuffix(".log") }.count == 4)
        log.enforceRetention()
        #expect(try site.names().filter { $0.hasSuffix(".log") }.count == 1, "the next pass does")
    }

    @Test func theClockGoesByTheTranscript() {
        var clock = RetentionClock(wall: 1_000, monotonic: 0, lastKnownWall: 900)
        #expect(clock.read(wall: 2_000, monotonic: 1_000) == .time(2_000))
        #expect(clock.read(wall: 1_500, monotonic: 2_000) == .time(1_500), "behind is believed")
        #expect(clock.read(wall: 9_000_000, monotonic: 3_000) == .jumped(by: 8_997_500, time: 2_500))
        #expect(clock.read(wall: 9_001_000, monotonic: 4_000) == .time(3_500))
        #expect(clock.read(wall: 4_500, monotonic: 5_000) == .time(4_500), "it came back")
        #expect(clock.read(wall: 9_000_000, monotonic: 6_000).time == 5_500)
        #expect(clock.read(wall: 13_000_000, monotonic: 3_606_000) == .time(13_000_000))
    }
}
