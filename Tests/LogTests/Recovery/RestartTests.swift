import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@Suite struct RestartTests {
    @Test func aClosedLogOpensWhereItEnded() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic()
        for number in 0..<10 { try partition.append(batch(["\(number)"])) }
        log.close()
        let (again, same) = try site.openWithTopic()
        #expect(same.topicID == partition.topicID && again.clusterID == log.clusterID)
        #expect(same.highWatermark == 10 && same.leaderEpoch == 0)
        #expect(try same.allValues() == (0..<10).map(String.init))
        #expect(try same.append(batch(["10"])).baseOffset == 10)
    }

    @Test func anUncleanStartBumpsTheEpochAndKeepsWhatWasSynced() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic()
        try partition.append(batch(["a"]))
        log.flushDirty()
        site.simulation.cutPower()
        let (again, same) = try site.openWithTopic()
        #expect(same.leaderEpoch == 1)
        #expect(try same.values() == ["a"])
        try same.append(batch(["b"]))
        again.flushDirty()
        #expect(same.leaderEpoch(ofOffset: 0) == 0 && same.leaderEpoch(ofOffset: 1) == 1)
        #expect(try same.endOffset(ofLeaderEpoch: 0)?.endOffset == 1)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func aPowerCutLosesNothingThatWasSynced(seed: UInt64) throws {
        let site = Site(seed: seed)
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "700"])
        var synced = 0
        for number in 0..<60 {
            try partition.append(batch(["\(number)"]))
            if number % 7 == Int(seed % 7) {
                log.flushDirty()
                synced = number + 1
            }
            if number % 13 == Int(seed % 13) { log.checkpoint() }
        }
        #expect(Int(partition.highWatermark) >= synced)
        site.simulation.cutPower()
        let (_, same) = try site.openWithTopic()
        let values = try same.allValues()
        #expect(values.count >= synced)
        #expect(values == (0..<values.count).map(String.init))
        #expect(same.fenceReason == nil)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func aKilledProcessLosesNothingThatWasWritten(seed: UInt64) throws {
        let site = Site(seed: seed)
        let (_, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "700"])
        for number in 0..<60 { try partition.append(batch(["\(number)"])) }
        site.simulation.crash()
        let (_, same) = try site.openWithTopic()
        #expect(try same.allValues() == (0..<60).map(String.init))
    }

    @Test func producersAreKnownAfterEitherEnd() throws {
        for isClean in [true, false] {
            let site = Site()
            let (log, partition) = try site.openWithTopic()
            for number in 0..<8 as Range<Int32> {
                try partition.append(batch(["\(number)"], producer: 7, epoch: 0, sequence: number))
            }
            log.flushDirty()
            if isClean { log.close() } else { site.simulation.crash() }
            let (_, same) = try site.openWithTopic()
            let repeated = try same.append(batch(["6"], producer: 7, epoch: 0, sequence: 6))
            #expect(repeated.isDuplicate && repeated.baseOffset == 6)
            #expect(try same.append(batch(["8"], producer: 7, epoch: 0, sequence: 8)).baseOffset == 8)
            #expect(throws: LogError.self) { try same.append(batch(["x"], producer: 7, epoch: 0, sequence: 20)) }
        }
    }

    /// Every failing open of a recovery, one after the other: the end is told right or not at all, and the next use
    /// recovers what the failed one did not.
    @Test(arguments: 1...6)
    func aPartitionThatCannotBeRecoveredYetTellsNoEnd(failing number: Int) throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "100"])
        try partition.append(batch(["a"]))
        log.checkpoint()
        for value in ["b", "c"] { try partition.append(batch([value])) }
        log.flushDirty()
        site.simulation.crash()
        site.simulation.inject(SimulatedFault(.device, at: [.open], path: ".log", .from(number)))
        let (again, same) = try site.openWithTopic()
        if let end = try? same.latestOffset() { #expect(end == 3) }
        if let end = try? same.endOffset(ofLeaderEpoch: 0) { #expect(end.endOffset == 3) }
        site.simulation.clearFaults()
        for _ in 0..<2 {
            if let end = try? same.latestOffset() { #expect(end == 3, "told before it was synced") }
        }
        again.flushDirty()
        #expect(try same.latestOffset() == 3 && same.highWatermark == 3)
        #expect(try same.allValues() == ["a", "b", "c"])
    }

    /// A killed process created a segment and got no further; the next one ends in order; the third fills the segment.
    /// Nothing but an unclean start knows that the segment's name may not be on the disk.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func aSegmentThatAKilledProcessCreatedIsNotLost(seed: UInt64) throws {
        let site = Site(seed: seed)
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "100"])
        try partition.append(batch(["a"]))
        log.flushDirty()
        log.checkpoint()
        site.simulation.inject(SimulatedFault(.noSpace, at: [.write], path: "0001.log", .call(1)))
        #expect(throws: LogError.self) { try partition.append(batch(["b"])) }
        site.simulation.crash()
        try site.open().close()
        site.simulation.crash()
        let (again, same) = try site.openWithTopic()
        try same.append(batch(["c"]))
        again.flushDirty()
        #expect(same.highWatermark == 2)
        site.simulation.cutPower()
        let (_, last) = try site.openWithTopic()
        #expect(try last.allValues() == ["a", "c"])
    }
}
