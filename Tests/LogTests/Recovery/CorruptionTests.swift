import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@Suite struct CorruptionTests {
    private let first = "/data/log/t/0/00000000000000000000.log"

    /// A site with a log of 20 records, "0" to "19", that ended cleanly or not.
    private func site(cleanly: Bool, checkpointed: Bool = true, _ configs: [String: String] = [:]) throws -> Site {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), configs)
        for number in 0..<20 {
            try partition.append(batch(["\(number)"]))
            if number == 9 {
                log.flushDirty()
                if checkpointed { log.checkpoint() }
            }
        }
        log.flushDirty()
        if cleanly { log.close() } else { site.simulation.crash() }
        return site
    }

    private func batchBytes() throws -> Int64 { Int64(try batch(["0"]).count) }

    @Test func aTornLastBatchIsCutOff() throws {
        let site = try site(cleanly: false)
        try site.truncate(first, to: Int64(site.contents(first).count) - 5)
        let (log, partition) = try site.openWithTopic()
        #expect(try partition.allValues() == (0..<19).map(String.init))
        #expect(site.messages().contains { $0.contains("cut off") })
        #expect(try partition.append(batch(["19"])).baseOffset == 19)
        log.flushDirty()
        #expect(try partition.allValues() == (0..<20).map(String.init))
    }

    @Test func zerosAfterTheEndAreCutOff() throws {
        let site = try site(cleanly: false)
        let size = Int64(try site.contents(first).count)
        try site.truncate(first, to: size + 5_000)
        let (_, partition) = try site.openWithTopic()
        #expect(try partition.allValues() == (0..<20).map(String.init))
        #expect(Int64(try site.contents(first).count) == size)
    }

    @Test func damageAboveTheRecoveryPointIsQuarantined() throws {
        let site = try site(cleanly: false)
        let size = try batchBytes()
        let damaged = size * 10 + Int64(try batch(["10"]).count) * 2
        let position = damaged + 65
        try site.overwrite(first, at: position, with: [0xFF])
        let (_, partition) = try site.openWithTopic()
        #expect(partition.fenceReason == nil)
        #expect(try partition.allValues() == (0..<12).map(String.init))
        #expect(site.messages().contains { $0.contains("quarantine") })
        let kept = try site.names().filter { $0.hasSuffix(".quarantine") }
        #expect(kept == ["00000000000000000000.log.\(damaged).quarantine"])
        try partition.append(batch(["again"]))
    }

    @Test func damageBelowTheRecoveryPointFencesAndServesWhatPrecedesIt() throws {
        for cleanly in [true, false] {
            let site = try site(cleanly: cleanly)
            // A header, so that replaying headers finds it. The snapshot must not spare the replay.
            try site.overwrite(first, at: batchBytes() * 4 + 16, with: [9])
            for name in try site.names() where name.hasSuffix("snapshot") || name.hasSuffix("index") {
                try site.simulation.machine.files.remove("/data/log/t/0/" + name)
            }
            let (_, partition) = try site.openWithTopic()
            #expect(try partition.read(from: 0, maximumBytes: 1, atLeastOneBatch: true).count > 0)
            #expect(try partition.allValues() == (0..<4).map(String.init))
            #expect(partition.fenceReason?.code == .damaged)
            let error = #expect(throws: LogError.self) { try partition.append(batch(["x"])) }
            #expect(error?.code == .damaged)
            #expect(try site.contents(first).count > 0, "nothing is deleted")
        }
    }

    @Test func aLogShorterThanItsRecoveryPointIsDamaged() throws {
        let site = try site(cleanly: true)
        try site.truncate(first, to: batchBytes() * 3)
        let (_, partition) = try site.openWithTopic()
        #expect(try partition.values() == ["0", "1", "2"])
        #expect(partition.fenceReason?.code == .damaged)
        #expect(site.messages().contains { $0.contains("synced up to 20") })
    }

    @Test func aLostLogIsDamagedAndNotBegunAnew() throws {
        let site = try site(cleanly: true)
        try site.simulation.machine.files.remove(first)
        let (_, partition) = try site.openWithTopic()
        #expect(throws: LogError.self) { try partition.append(batch(["x"])) }
        #expect(throws: LogError.self) { try partition.read(from: 3, maximumBytes: 1, atLeastOneBatch: true) }
        #expect(partition.logEndOffset == 20)
    }

    @Test func damageStaysKnownOverRestarts() throws {
        let site = try site(cleanly: true)
        try site.truncate(first, to: batchBytes() * 3)
        for _ in 0..<3 {
            let (log, partition) = try site.openWithTopic()
            #expect(throws: LogError.self) { try partition.append(batch(["x"])) }
            #expect(try partition.values().count == 3)
            log.close()
        }
    }

    @Test func aLostOrDamagedCheckpointCostsAVerificationOnly() throws {
        for damage in 0..<3 {
            let site = try site(cleanly: true, ["segment.bytes": "300"])
            switch damage {
            case 0: try site.simulation.machine.files.remove("/data/checkpoint")
            case 1: try site.overwrite("/data/checkpoint", at: 30, with: [0xAA, 0x55])
            default: try site.truncate("/data/checkpoint", to: 10)
            }
            let (_, partition) = try site.openWithTopic()
            #expect(try partition.allValues() == (0..<20).map(String.init))
            #expect(partition.leaderEpoch == 1, "without a checkpoint the end counts as unclean")
            #expect(try partition.append(batch(["20"])).baseOffset == 20)
        }
    }

    @Test func theEpochGoesOnWithoutACheckpoint() throws {
        let site = Site()
        for round in 0..<4 as Range<Int32> {
            let (log, partition) = try site.openWithTopic()
            #expect(partition.leaderEpoch == round)
            try partition.append(batch(["x"]))
            log.flushDirty()
            site.simulation.crash()
        }
        try site.simulation.machine.files.remove("/data/checkpoint")
        let (_, partition) = try site.openWithTopic()
        #expect(partition.leaderEpoch == 4)
        #expect((0..<4).map { partition.leaderEpoch(ofOffset: $0) } == [0, 1, 2, 3])
    }

    @Test func lostAndDamagedIndexesAreRebuilt() throws {
        for damage in 0..<4 {
            let site = Site()
            let (log, partition) = try site.openWithTopic(
                LogSettings(), ["segment.bytes": "3000", "index.interval.bytes": "100"])
            for number in 0..<200 { try partition.append(batch(["\(number)"])) }
            log.close()
            for name in try site.names() where name.hasSuffix("index") {
                let path = "/data/log/t/0/" + name
                switch damage {
                case 0: try site.simulation.machine.files.remove(path)
                case 1: try site.overwrite(path, at: 40, with: [0xAA, 0x55, 0xAA])
                case 2: try site.truncate(path, to: 0)
                default: try site.truncate(path, to: 100)
                }
            }
            let (_, same) = try site.openWithTopic()
            for offset in stride(from: Int64(0), to: 200, by: 7) {
                #expect(try same.values(from: offset, maximumBytes: 1) == ["\(offset)"])
                #expect(try same.offset(forTimestamp: epochStart)?.offset == 0)
            }
            #expect(same.fenceReason == nil)
        }
    }

    @Test func lostAndDamagedSnapshotsAreReplayed() throws {
        for damage in 0..<3 {
            let site = Site()
            var settings = LogSettings()
            settings.snapshotIntervalBytes = 1
            let (log, partition) = try site.openWithTopic(settings, ["segment.bytes": "500"])
            for number in 0..<30 as Range<Int32> {
                try partition.append(batch(["\(number)"], producer: 5, epoch: 1, sequence: number))
            }
            log.close()
            #expect(try site.names().contains { $0.hasSuffix("snapshot") })
            for name in try site.names() where name.hasSuffix("snapshot") {
                let path = "/data/log/t/0/" + name
                switch damage {
                case 0: try site.simulation.machine.files.remove(path)
                case 1: try site.overwrite(path, at: 21, with: [0xAA, 0x55, 0xAA])
                default: try site.truncate(path, to: 3)
                }
            }
            let (_, same) = try site.openWithTopic()
            #expect(try same.append(batch(["29"], producer: 5, epoch: 1, sequence: 29)).isDuplicate)
            #expect(try same.producers().map(\.lastSequence) == [29])
        }
    }

    @Test func aCleanStartReadsNoSegment() throws {
        let site = Site()
        let log = try site.open()
        for number in 0..<20 {
            let topic = try log.createTopic("t\(number)", partitions: 10, configs: [:])
            for partition in topic.partitions { try partition.append(batch(["x"])) }
        }
        log.close()
        let before = site.simulation.calls(of: .open)
        let again = try site.open()
        #expect(again.topics().count == 20)
        #expect(again.topic(named: "t3")?.partitions[4].highWatermark == 1)
        #expect(site.simulation.calls(of: .open) - before < 10)
    }

    @Test func aStartAfterACrashReadsFromTheLastSnapshotOn() throws {
        var settings = LogSettings()
        settings.snapshotIntervalBytes = 1
        let site = Site()
        let (log, partition) = try site.openWithTopic(settings)
        for number in 0..<2_000 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        log.checkpoint()
        try partition.append(batch(["last"]))
        log.flushDirty()
        site.simulation.crash()
        // Damage that a full scan would find shows that there was none.
        try site.overwrite(first, at: batchBytes() * 100 + 16, with: [9])
        let (_, same) = try site.openWithTopic(settings)
        #expect(same.fenceReason == nil && same.highWatermark == 2_001)
    }
}
