import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Log

@Suite struct DeleteRecordsTests {
    /// Ten records, one per batch, two batches per segment.
    private func site(_ seed: UInt64 = 1) throws -> (Site, CommitLog, Partition) {
        let site = Site(seed: seed)
        let size = try batch(["0"]).count
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "\(size * 2)"])
        for number in 0..<10 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        return (site, log, partition)
    }

    private func segments(_ site: Site) throws -> Int { try site.names().filter { $0.hasSuffix(".log") }.count }

    private func delete(_ log: CommitLog, _ partition: Partition, _ offset: Int64) throws -> Int64 {
        try log.deleteRecords([(partition, offset)])[0].get()
    }

    private func code(_ body: () throws -> Void) -> LogError.Code? {
        do { try body() } catch { return (error as? LogError)?.code }
        return nil
    }

    @Test func theLogBeginsWhereItIsTold() throws {
        let (site, log, partition) = try site()
        #expect(try delete(log, partition, 5) == 5)
        #expect(partition.logStartOffset == 5 && partition.highWatermark == 10)
        #expect(try partition.allValues() == (5..<10).map(String.init))
        #expect(code { _ = try partition.read(from: 4, maximumBytes: 1, atLeastOneBatch: true) } == .offsetOutOfRange)
        #expect(try segments(site) == 3, "offset 5 stands in the segment of 4 and 5")
        #expect(try partition.offset(forTimestamp: 0)?.offset == 5)
        #expect(try delete(log, partition, 3) == 5, "what is gone stays gone")
        #expect(code { _ = try delete(log, partition, 11) } == .offsetOutOfRange)
        #expect(code { _ = try delete(log, partition, -2) } == .offsetOutOfRange)
    }

    @Test func timesAreThoseOfTheRecordsThatAreLeft() throws {
        let (log, partition) = try Site().openWithTopic()
        try partition.append(batch(["a", "b", "c"], timestamp: epochStart + 100))
        try partition.append(batch(["d"], timestamp: epochStart))
        log.flushDirty()
        #expect(try partition.offsetOfMaximumTimestamp()?.offset == 2)
        _ = try delete(log, partition, 1)
        #expect(try partition.offset(forTimestamp: 0)?.offset == 1)
        #expect(try partition.offsetOfMaximumTimestamp()?.offset == 2)
        _ = try delete(log, partition, 3)
        #expect(try partition.offsetOfMaximumTimestamp()?.offset == 3)
        #expect(try partition.offset(forTimestamp: epochStart + 50) == nil)
        _ = try delete(log, partition, 4)
        #expect(try partition.offsetOfMaximumTimestamp() == nil)
    }

    @Test func minusOneEmptiesTheLogAndKeepsItsOffsets() throws {
        let (site, log, partition) = try site()
        #expect(try delete(log, partition, -1) == 10)
        #expect(partition.sizeBytes == 0)
        #expect(try segments(site) == 1)
        #expect(try partition.append(batch(["10"])).baseOffset == 10)
        log.flushDirty()
        #expect(try partition.allValues() == ["10"])
        log.close()
        let (_, same) = try site.openWithTopic()
        #expect(same.logStartOffset == 10)
        #expect(try same.allValues() == ["10"])
    }

    @Test func onlySyncedRecordsAreDeleted() throws {
        let (_, log, partition) = try site()
        try partition.append(batch(["10"]))
        #expect(code { _ = try delete(log, partition, 11) } == .offsetOutOfRange)
        #expect(try delete(log, partition, -1) == 10)
        log.flushDirty()
        #expect(try partition.allValues() == ["10"])
    }

    @Test func anEmptyPartitionHasNothingToDelete() throws {
        let (log, partition) = try Site().openWithTopic()
        #expect(try delete(log, partition, -1) == 0)
        #expect(code { _ = try delete(log, partition, 1) } == .offsetOutOfRange)
    }

    @Test(arguments: 0..<20 as Range<UInt64>, [false, true])
    func anAnswerHoldsOverAPowerCut(seed: UInt64, isProcessOnly: Bool) throws {
        let (site, log, partition) = try site(seed)
        let offset = Int64(seed % 11)
        #expect(try delete(log, partition, offset) == offset)
        try partition.append(batch(["unsynced"]))
        if isProcessOnly { site.simulation.crash() } else { site.simulation.cutPower() }
        let (again, same) = try site.openWithTopic()
        #expect(same.logStartOffset == offset && same.fenceReason == nil && same.highWatermark >= 10)
        #expect(try Array(same.allValues().prefix(10 - Int(offset))) == (Int(offset)..<10).map(String.init))
        again.enforceRetention()
        #expect(try delete(again, same, -1) == same.highWatermark)
    }

    /// Whatever the moment: the log begins at the old or at the new offset, nothing after it is lost, and what deletion
    /// left behind goes with the next pass of retention.
    @Test func aDeletionThatDiesOnTheWayIsNoDamage() throws {
        for operation in 1..<40 {
            let (site, log, partition) = try site(UInt64(operation))
            site.simulation.stop(atOperation: operation)
            let answer = try? delete(log, partition, 7)
            site.simulation.cutPower()
            let (again, same) = try site.openWithTopic()
            #expect(same.fenceReason == nil && same.highWatermark == 10)
            #expect(same.logStartOffset == 7 || same.logStartOffset == 0 && answer == nil)
            #expect(try same.allValues() == (Int(same.logStartOffset)..<10).map(String.init))
            again.enforceRetention()
            if same.logStartOffset == 7 { #expect(try segments(site) == 2, "operation \(operation)") }
        }
    }

    @Test func leftoversGoEvenIfNothingExpires() throws {
        let (site, log, partition) = try site()
        try log.alterConfigs(of: "t", ["retention.ms": .set("-1")])
        _ = try partition.deleteRecords(before: 6)
        #expect(try segments(site) == 5)
        log.enforceRetention()
        #expect(try segments(site) == 2 && partition.logStartOffset == 6)
    }

    @Test func aFailedCheckpointFailsTheAnswer() throws {
        let (site, log, partition) = try site()
        site.simulation.inject(SimulatedFault(.device, at: [.rename], path: "checkpoint", .from(1)))
        #expect(code { _ = try delete(log, partition, 5) } == .storage)
        #expect(try segments(site) == 5, "nothing is removed that a restart would show again")
        site.simulation.clearFaults()
        #expect(try delete(log, partition, 5) == 5)
        site.simulation.cutPower()
        let (_, same) = try site.openWithTopic()
        #expect(same.logStartOffset == 5)
    }

    @Test func epochsAreAnsweredAsKafkaDoes() throws {
        let (site, log, partition) = try site()
        _ = try delete(log, partition, 3)
        site.simulation.crash()
        let (second, same) = try site.openWithTopic()
        #expect(same.leaderEpoch == 1)
        #expect(try same.endOffset(ofLeaderEpoch: 1).map { [Int64($0.epoch), $0.endOffset] } == [1, 10])
        #expect(try same.endOffset(ofLeaderEpoch: 0).map { [Int64($0.epoch), $0.endOffset] } == [0, 10])
        #expect(try same.endOffset(ofLeaderEpoch: 2) == nil)
        #expect(try same.endOffset(ofLeaderEpoch: -1) == nil)
        try same.append(batch(["10"]))
        second.flushDirty()
        site.simulation.crash()
        let (again, third) = try site.openWithTopic()
        #expect(try third.endOffset(ofLeaderEpoch: 0).map { [Int64($0.epoch), $0.endOffset] } == [0, 10])
        #expect(try third.endOffset(ofLeaderEpoch: 2).map { [Int64($0.epoch), $0.endOffset] } == [2, 11])
        #expect(try delete(again, third, -1) == 11)
        #expect(try third.endOffset(ofLeaderEpoch: 0).map { [Int64($0.epoch), $0.endOffset] } == [0, 11])
    }
}
