import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@Suite struct FaultTests {
    private func fault(
        _ code: MachineError.Code, _ operations: Set<SimulatedOperation>, _ path: String? = ".log"
    ) -> SimulatedFault {
        SimulatedFault(code, at: operations, path: path, .from(1))
    }

    @Test func aFullDiskRefusesAndGoesOnWhenThereIsSpace() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic()
        try partition.append(batch(["a"]))
        site.simulation.inject(fault(.noSpace, [.write]))
        for _ in 0..<3 {
            let error = #expect(throws: LogError.self) { try partition.append(batch(["lost"])) }
            #expect(error?.code == .noSpace)
        }
        site.simulation.clearFaults()
        #expect(try partition.append(batch(["b"])).baseOffset == 1)
        log.flushDirty()
        #expect(try partition.values() == ["a", "b"])
    }

    @Test func theBytesOfAFailedWriteAreNeverFound() throws {
        for seed in 0..<30 as Range<UInt64> {
            let site = Site(seed: seed)
            let (log, partition) = try site.openWithTopic()
            try partition.append(batch(["a"]))
            log.flushDirty()
            site.simulation.inject(SimulatedFault(.noSpace, at: [.write], path: ".log", .call(1)))
            #expect(throws: LogError.self) { try partition.append(batch(["lost"]) + batch(["lost"])) }
            site.simulation.crash()
            let (_, same) = try site.openWithTopic()
            #expect(try same.allValues() == ["a"])
        }
    }

    @Test func aFailedSyncFencesAndWhatWasSyncedStaysReadable() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic()
        try partition.append(batch(["a"]))
        log.flushDirty()
        let (bell, reader) = (Bell(), Bell())
        let result = try partition.append(batch(["b"]), .now)
        #expect(partition.notifyWhenSynced(upTo: result.endOffset, bell))
        _ = try partition.notifyWhenReadable(beyond: 1, reader)
        site.simulation.inject(fault(.device, [.synchronize, .synchronizeVolume], nil))
        log.flushDirty()
        #expect(bell.codes == [.fenced] && reader.count == 1)
        #expect(partition.highWatermark == 1)
        #expect(try partition.values() == ["a"])
        site.simulation.clearFaults()
        log.flushDirty()
        #expect(partition.highWatermark == 1, "a later sync proves nothing")
        let error = #expect(throws: LogError.self) { try partition.append(batch(["c"])) }
        #expect(error?.code == .fenced)
        let late = Bell()
        #expect(partition.notifyWhenSynced(upTo: 2, late) && late.codes == [.fenced])
        log.close()
        let (again, same) = try site.openWithTopic()
        #expect(same.fenceReason == nil && same.leaderEpoch == 1)
        #expect(try same.values() == ["a"])
        #expect(try same.append(batch(["c"])).baseOffset == 1)
        again.close()
    }

    /// The cut after a failed sync is in the page cache alone. The next process must not build on it before it is on
    /// the disk: a later power cut would bring back what it cut.
    @Test func whatAFailedSyncCutStaysCut() throws {
        for seed in 0..<60 as Range<UInt64> {
            let site = Site(seed: seed)
            let (log, partition) = try site.openWithTopic()
            try partition.append(batch(["a"]))
            log.checkpoint()
            log.flushDirty()
            log.checkpoint()
            let lost = try (0..<20).flatMap { _ in try batch(["x"]) }
            try partition.append(lost)
            site.simulation.inject(SimulatedFault(.device, at: [.synchronize], path: ".log", .call(1)))
            log.flushDirty()
            #expect(partition.fenceReason != nil)
            site.simulation.clearFaults()
            if seed % 2 == 0 { log.close() }
            site.simulation.crash()
            let (again, same) = try site.openWithTopic()
            #expect(same.logEndOffset == 1)
            again.close()
            site.simulation.cutPower()
            let (_, last) = try site.openWithTopic()
            #expect(last.sizeBytes > 0 && last.logEndOffset == 1, "seed \(seed)")
            #expect(try last.allValues() == ["a"])
        }
    }

    @Test func onlyThePartitionWhoseSyncFailedIsFenced() throws {
        let site = Site()
        let log = try site.open()
        let topic = try log.createTopic("t", partitions: 40, configs: [:])
        for partition in topic.partitions { try partition.append(batch(["a"])) }
        site.simulation.inject(fault(.device, [.synchronizeVolume], nil))
        site.simulation.inject(fault(.device, [.synchronize], "/t/7/"))
        log.flushDirty()
        // A failed sync of the volume has lost pages of some files, as the seed decides; each file tells by itself.
        let fenced = topic.partitions.filter { $0.fenceReason != nil }.map(\.index)
        let synced = topic.partitions.filter { $0.highWatermark == 1 }.map(\.index)
        #expect(fenced.contains(7) && !synced.isEmpty)
        #expect((fenced + synced).sorted() == Array(0..<40))
    }

    @Test func aBrokenDeviceFencesAtTheWrite() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic()
        let bell = Bell()
        let result = try partition.append(batch(["a"]), .now)
        #expect(partition.notifyWhenSynced(upTo: result.endOffset, bell))
        site.simulation.inject(fault(.device, [.write]))
        #expect(throws: LogError.self) { try partition.append(batch(["b"])) }
        site.simulation.clearFaults()
        #expect(throws: LogError.self) { try partition.append(batch(["c"])) }
        log.flushDirty()
        #expect(bell.codes == [nil], "what was written before is still synced")
        #expect(try partition.values() == ["a"])
    }

    @Test func aFailedUndoFences() throws {
        let site = Site()
        let (_, partition) = try site.openWithTopic()
        try partition.append(batch(["a"]))
        site.simulation.inject(fault(.noSpace, [.write]))
        site.simulation.inject(fault(.other, [.truncate]))
        #expect(throws: LogError.self) { try partition.append(batch(["b"])) }
        #expect(partition.fenceReason?.code == .fenced)
    }

    @Test func noSpaceForANewSegmentIsNoHarm() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "100"])
        try partition.append(batch(["a"]))
        site.simulation.inject(fault(.noSpace, [.open]))
        #expect(throws: LogError.self) { try partition.append(batch(["b"])) }
        site.simulation.clearFaults()
        try partition.append(batch(["b"]))
        log.flushDirty()
        #expect(try partition.allValues() == ["a", "b"])
    }

    @Test func anIndexThatCannotBeStoredIsRebuilt() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "500"])
        site.simulation.inject(fault(.noSpace, [.open, .write], "index"))
        for number in 0..<50 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        log.checkpoint()
        #expect(try partition.allValues() == (0..<50).map(String.init))
        #expect(try partition.values(from: 21, maximumBytes: 1) == ["21"])
    }

    @Test func aCheckpointThatCannotBeWrittenIsTriedAgain() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic()
        try partition.append(batch(["a"]))
        log.flushDirty()
        site.simulation.inject(fault(.noSpace, [.write], "checkpoint"))
        log.checkpoint()
        site.simulation.clearFaults()
        let before = site.simulation.calls(of: .rename)
        log.checkpoint()
        #expect(site.simulation.calls(of: .rename) == before + 1)
        log.checkpoint()
        #expect(site.simulation.calls(of: .rename) == before + 1, "nothing changed since")
    }

    @Test func theEndsOfAPartitionReachItsWaiters() throws {
        for isDeletion in [true, false] {
            let site = Site()
            let (log, partition) = try site.openWithTopic()
            try partition.append(batch(["a"]))
            let (bell, reader) = (Bell(), Bell())
            _ = partition.notifyWhenSynced(upTo: 9, bell)
            _ = try partition.notifyWhenReadable(beyond: 1, reader)
            if isDeletion { try log.deleteTopic(partition.topicID) } else { log.close() }
            #expect(bell.codes == [isDeletion ? .unknownTopic : .closed] && reader.count == 1)
            let error = #expect(throws: LogError.self) { try partition.append(batch(["b"])) }
            #expect(error?.code == (isDeletion ? .unknownTopic : .closed))
            #expect(throws: LogError.self) { try partition.read(from: 0, maximumBytes: 1, atLeastOneBatch: true) }
        }
    }
}
