import KafkaWire
import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Testing

@testable import Log

@Suite struct SyncJournalTests {
    private static var settings: LogSettings {
        var settings = LogSettings()
        settings.journalBytes = 64 << 10
        settings.journalMinimumPartitions = 2
        return settings
    }

    /// Partitions whose files are synced, so that the next round can go through the journal.
    ///
    /// - Parameter isCreated: whether another topic has used the journal before. Creating it syncs the volume, so the
    ///   first round does not depend on it yet.
    private func prepared(
        _ site: Site, _ settings: LogSettings = Self.settings, count: Int32 = 3, isCreated: Bool = true
    ) throws -> (CommitLog, [Partition]) {
        let log = try site.open(settings)
        if isCreated {
            let others = try log.createTopic("other", partitions: 2, configs: [:]).partitions
            for value in ["a", "b"] {
                try append(value, to: others)
                log.flushDirty()
            }
        }
        let partitions = try log.createTopic("t", partitions: count, configs: ["segment.bytes": "4000"]).partitions
        try append("a", to: partitions)
        log.flushDirty()
        #expect(log.journalRounds == (isCreated ? 1 : 0), "new files need their directories synced")
        return (log, partitions)
    }

    private func append(_ value: String, to partitions: some Swift.Sequence<Partition>) throws {
        for partition in partitions { try partition.append(batch([value]), .now) }
    }

    private func reopened(_ site: Site, _ settings: LogSettings = Self.settings) throws -> (CommitLog, [Partition]) {
        let log = try site.open(settings)
        return (log, try #require(log.topic(named: "t")).partitions)
    }

    private func format(_ site: Site) throws -> String {
        String(decoding: try site.contents("/data/format"), as: UTF8.self)
    }

    private func fault(
        _ operations: Set<SimulatedOperation>, _ path: String?, _ code: MachineError.Code = .device
    ) -> SimulatedFault {
        SimulatedFault(code, at: operations, path: path, .from(1))
    }

    @Test func aRoundSyncsOneFileAndOutlivesAPowerCut() throws {
        for seed in 0..<40 as Range<UInt64> {
            let site = Site(seed: seed)
            let (log, partitions) = try prepared(site)
            try append("b", to: partitions)
            log.flushDirty()
            let syncs = { site.simulation.calls(of: .synchronize) + site.simulation.calls(of: .synchronizeVolume) }
            let before = syncs()
            let bell = Bell()
            try append("c", to: partitions)
            #expect(partitions[1].notifyWhenSynced(upTo: 3, bell))
            log.flushDirty()
            #expect(log.journalRounds == 3 && syncs() == before + 1)
            #expect(bell.codes == [nil] && partitions.allSatisfy { $0.highWatermark == 3 })
            try append("not synced", to: partitions)
            site.simulation.cutPower()
            let (_, same) = try reopened(site)
            for partition in same {
                #expect(try Array(partition.allValues().prefix(3)) == ["a", "b", "c"], "seed \(seed)")
                #expect(partition.fenceReason == nil)
            }
            #expect(site.messages().contains { $0.hasPrefix("put ") })
        }
    }

    @Test func theFormatTellsOfAJournalThatMayHoldSomething() throws {
        let site = Site()
        let (log, partitions) = try prepared(site, isCreated: false)
        #expect(try format(site) == "millrace data format 1\n", "nothing has wanted it yet")
        try append("b", to: partitions)
        log.flushDirty()
        #expect(try format(site) == "millrace data format 2\n")
        log.close()
        #expect(try format(site) == "millrace data format 1\n")
        #expect(try JournalContent(in: "/data", site.simulation.machine.files).isEmpty)
        site.simulation.cutPower()
        let (again, same) = try reopened(site)
        #expect(again.topic(named: "t")?.partitions[0].leaderEpoch == 0)
        for partition in same { #expect(try partition.allValues() == ["a", "b"]) }
        #expect(site.messages().isEmpty)
    }

    @Test func theRedoMayEndAnywhereAndBeginAgain() throws {
        var (number, isDone) = (0, false)
        while !isDone {
            number += 1
            let site = Site(seed: UInt64(number))
            let (log, partitions) = try prepared(site)
            for value in ["b", "c", "d"] {
                try append(value, to: partitions)
                log.flushDirty()
            }
            #expect(log.journalRounds == 4)
            site.simulation.cutPower()
            site.simulation.stop(atOperation: number)
            isDone = (try? site.open(Self.settings)) != nil && !site.simulation.isStopped
            site.simulation.clearFaults()
            number % 3 == 0 ? site.simulation.crash() : site.simulation.cutPower()
            let (_, same) = try reopened(site)
            for partition in same { #expect(try partition.allValues() == ["a", "b", "c", "d"], "operation \(number)") }
        }
        #expect(number > 30)
    }

    @Test func fullFilesTakeTurns() throws {
        for seed in 0..<10 as Range<UInt64> {
            var settings = Self.settings
            settings.journalBytes = 12 << 10
            let site = Site(seed: seed)
            let (log, partitions) = try prepared(site, settings, count: seed % 2 == 0 ? 3 : 8)
            var values = ["a"]
            for number in 0..<23 {
                values.append("\(number)")
                try append("\(number)", to: partitions)
                log.flushDirty()
                if number % 7 == 6 { log.checkpoint() }
            }
            // Two rounds per file, then rounds are synced without until the files are emptied: by a checkpoint, or by
            // the first of these rounds if it syncs the volume, as that of many partitions does.
            #expect(log.journalRounds == (seed % 2 == 0 ? 14 : 21))
            site.simulation.cutPower()
            let (_, same) = try reopened(site, settings)
            for partition in same { #expect(try partition.allValues() == values) }
        }
    }

    @Test func aCheckpointEmptiesIt() throws {
        let site = Site()
        let (log, partitions) = try prepared(site)
        try append("b", to: partitions)
        log.flushDirty()
        let files = site.simulation.machine.files
        #expect(try JournalContent(in: "/data", files).segments.count == 5)
        log.checkpoint()
        #expect(try JournalContent(in: "/data", files).isEmpty)
        let calls = site.simulation.calls
        log.checkpoint()
        #expect(site.simulation.calls == calls, "nothing changed since")
    }

    @Test func deletedTopicsStayDeleted() throws {
        for (seed, isAgain) in [(1, false), (2, true), (3, true), (4, false)] {
            let site = Site(seed: UInt64(seed))
            let (log, partitions) = try prepared(site)
            try append("b", to: partitions)
            log.flushDirty()
            try log.deleteTopic(partitions[0].topicID)
            try log.deleteTopic(#require(log.topic(named: "other")).id)
            if isAgain {
                let other = try log.createTopic("t", partitions: 3, configs: [:])
                for partition in other.partitions { try partition.append(batch(["other", "topic"]), .now) }
                log.flushDirty()
            }
            site.simulation.cutPower()
            let again = try site.open(Self.settings)
            guard isAgain else {
                #expect(again.topics().isEmpty)
                continue
            }
            for partition in again.topics().flatMap(\.partitions) {
                #expect(try partition.allValues() == ["other", "topic"])
            }
        }
    }

    @Test func aDirectoryOfAnotherTopicIsLeftAlone() throws {
        let site = Site(seed: 6)
        let (log, partitions) = try prepared(site)
        try append("b", to: partitions)
        log.flushDirty()
        site.simulation.crash()
        let identity = Array(Uuid(high: 1, low: 2).description.utf8)
        try site.overwrite("/data/log/t/topic", at: 0, with: identity)
        try site.truncate("/data/log/t/0/00000000000000000000.log", to: 10)
        _ = try site.open(Self.settings)
        let orphan = try #require(try site.names("/data/orphans").first)
        #expect(try site.contents("/data/orphans/\(orphan)/0/00000000000000000000.log").count == 10)
    }

    /// What a start has redone may since have been cut and written anew, so no damage may bring it back.
    @Test func whatIsRedoneIsGone() throws {
        let site = Site(seed: 7)
        let (log, partitions) = try prepared(site)
        for value in ["b", "c"] {
            try append(value, to: partitions)
            log.flushDirty()
        }
        site.simulation.crash()
        #expect(try !JournalContent(in: "/data", site.simulation.machine.files).isEmpty)
        _ = try reopened(site)
        site.simulation.crash()
        for name in ["/data/journal.0", "/data/journal.1"] { try site.overwrite(name, at: 9, with: [0x55]) }
        #expect(try JournalContent(in: "/data", site.simulation.machine.files).isEmpty)
        let (again, same) = try reopened(site)
        for partition in same { #expect(try partition.allValues() == ["a", "b", "c"]) }
        // And it is taken into use again.
        try append("d", to: same)
        again.flushDirty()
        try append("e", to: same)
        again.flushDirty()
        #expect(again.journalRounds > 0)
        site.simulation.cutPower()
        let (_, last) = try reopened(site)
        for partition in last { #expect(try partition.allValues() == ["a", "b", "c", "d", "e"]) }
    }

    @Test func rollingAndRetentionGoOnOverIt() throws {
        for seed in 0..<20 as Range<UInt64> {
            let site = Site(seed: seed)
            let log = try site.open(Self.settings)
            let configs = ["segment.bytes": "400", "retention.bytes": "1000"]
            let partitions = try log.createTopic("t", partitions: 3, configs: configs).partitions
            var values: [String] = []
            for number in 0..<30 {
                values.append("\(number)")
                try append("\(number)", to: partitions)
                log.flushDirty()
                if number % 10 == 9 { log.enforceRetention() }
            }
            #expect(log.journalRounds > 5 && partitions[0].logStartOffset > 0)
            site.simulation.cutPower()
            let (_, same) = try reopened(site)
            for partition in same {
                #expect(partition.fenceReason == nil)
                #expect(try partition.allValues() == Array(values.dropFirst(Int(partition.logStartOffset))))
            }
        }
    }

    @Test func aFullDiskGoesWithoutIt() throws {
        let site = Site()
        let (log, partitions) = try prepared(site, isCreated: false)
        site.simulation.inject(fault([.write], "journal", .noSpace))
        for value in ["b", "c"] {
            try append(value, to: partitions)
            log.flushDirty()
        }
        #expect(log.journalRounds == 0 && partitions.allSatisfy { $0.highWatermark == 3 && $0.fenceReason == nil })
        #expect(site.messages().filter { $0.contains("cannot create the sync journal") }.count == 1)
        #expect(try !site.names("/data").contains { $0.hasPrefix("journal") })
        log.close()
        #expect(try format(site) == "millrace data format 1\n")
    }

    @Test func aFailedWriteOrSyncOfTheJournalFallsBack() throws {
        for (number, operation) in [SimulatedOperation.write, .synchronize].enumerated() {
            for seed in 0..<20 as Range<UInt64> {
                let site = Site(seed: 2 * seed + UInt64(number))
                let (log, partitions) = try prepared(site)
                try append("b", to: partitions)
                log.flushDirty()
                site.simulation.inject(fault([operation], "journal"))
                try append("c", to: partitions)
                log.flushDirty()
                site.simulation.clearFaults()
                try append("d", to: partitions)
                log.flushDirty()
                #expect(log.journalRounds == 2 && site.messages().contains { $0.contains("sync journal failed") })
                #expect(partitions.allSatisfy { $0.highWatermark == 4 && $0.fenceReason == nil })
                log.checkpoint()
                seed % 2 == 0 ? site.simulation.cutPower() : log.close()
                site.simulation.cutPower()
                let (_, same) = try reopened(site)
                for partition in same { #expect(try partition.allValues() == ["a", "b", "c", "d"]) }
            }
        }
    }

    @Test func aFailedSyncOfTheVolumeLosesNothingThatTheJournalHolds() throws {
        for seed in 0..<40 as Range<UInt64> {
            let site = Site(seed: seed)
            let (log, partitions) = try prepared(site, count: 8)
            try append("b", to: partitions)
            log.flushDirty()
            try append("c", to: partitions.prefix(1))
            site.simulation.inject(SimulatedFault(.device, at: [.synchronizeVolume], .call(1)))
            log.checkpoint()
            for partition in partitions { #expect(try partition.allValues() == ["a", "b"], "read after the failure") }
            // The volume tells of it once; what was lost then must not be taken for synced by the next round.
            try append("d", to: partitions.dropFirst())
            let volume = site.simulation.calls(of: .synchronizeVolume)
            log.flushDirty()
            log.checkpoint()
            #expect(site.simulation.calls(of: .synchronizeVolume) == volume && log.journalRounds == 2)
            for partition in partitions {
                #expect((partition.highWatermark == 3) == (partition.fenceReason == nil))
                #expect(try Array(partition.allValues().prefix(2)) == ["a", "b"])
            }
            let promised = partitions.map(\.highWatermark)
            seed % 2 == 0 ? log.close() : site.simulation.cutPower()
            site.simulation.cutPower()
            let (_, same) = try reopened(site)
            for (partition, promised) in zip(same, promised) {
                #expect(partition.highWatermark >= promised && partition.fenceReason == nil)
                #expect(try Array(partition.allValues().prefix(2)) == ["a", "b"])
            }
        }
    }

    @Test func aFailedSyncOfAFileLosesNothingThatTheJournalHolds() throws {
        for seed in 0..<40 as Range<UInt64> {
            let site = Site(seed: seed)
            let (log, partitions) = try prepared(site)
            try append("b", to: partitions)
            log.flushDirty()
            try append("c", to: partitions.prefix(1))
            site.simulation.inject(fault([.synchronize, .synchronizeVolume], "/t/0/"))
            log.flushDirty()
            site.simulation.clearFaults()
            #expect(partitions[0].fenceReason?.code == .fenced && partitions[0].highWatermark == 2)
            #expect(try partitions[0].allValues() == ["a", "b"])
            log.checkpoint()
            seed % 2 == 0 ? log.close() : site.simulation.cutPower()
            site.simulation.cutPower()
            let (_, same) = try reopened(site)
            for partition in same { #expect(try Array(partition.allValues().prefix(2)) == ["a", "b"]) }
        }
    }

    /// The cut behind the last batch is not in the journal, so the round after it must sync the file.
    @Test func whatAFailedWriteLeftIsNeverFound() throws {
        for seed in 0..<60 as Range<UInt64> {
            let site = Site(seed: seed)
            let (log, partitions) = try prepared(site)
            site.simulation.inject(SimulatedFault(.noSpace, at: [.write], path: "/t/0/", .call(1)))
            let lost = try (0..<20).flatMap { _ in try batch(["x"]) }
            #expect(throws: LogError.self) { try partitions[0].append(lost, .now) }
            site.simulation.clearFaults()
            try append("b", to: partitions)
            log.flushDirty()
            site.simulation.cutPower()
            let (_, same) = try reopened(site)
            for partition in same { #expect(try partition.allValues() == ["a", "b"], "seed \(seed)") }
        }
    }

    @Test func whatDoesNotVerifyIsNotPromised() throws {
        let bytes = try batch(["a", "b"]) + batch(["c"])
        var second = try batch(["c"])
        second[7] = 2
        let sound = try batch(["a", "b"]) + second
        func isSound(_ bytes: [UInt8], _ end: Int64 = 3) -> Bool {
            bytes.withUnsafeBytes { SyncTarget.isSound($0, from: 0, to: end) }
        }
        #expect(isSound(sound) && !isSound(bytes) && !isSound(sound, 4) && !isSound(Array(sound.dropLast())))
        for position in sound.indices where ![12, 13, 14, 15].contains(position % (sound.count - second.count)) {
            var flipped = sound
            flipped[position] ^= 0x20
            if position < sound.count - second.count || position >= sound.count - second.count + 16 {
                #expect(!isSound(flipped), "byte \(position)")
            }
        }
        #expect(!isSound([UInt8](repeating: 0, count: 200)))
    }

    @Test func damageToTheJournalIsTold() throws {
        let site = Site(seed: 3)
        let (log, partitions) = try prepared(site)
        for value in ["b", "c", "d"] {
            try append(value, to: partitions)
            log.flushDirty()
        }
        site.simulation.crash()
        try site.overwrite("/data/journal.0", at: Int64(2 * JournalFormat.blockBytes + 100), with: [0xFF, 0xFE, 0xFD])
        let report = try LogCheckAccess.run(site)
        #expect(report.findings.contains { $0.severity == .damage && $0.position == 8192 })
        let (_, same) = try reopened(site)
        #expect(site.messages().contains { $0.contains("journal.0 at 8192: a round that was acknowledged") })
        // The process alone ended, so the segments have it all.
        for partition in same { #expect(try partition.allValues() == ["a", "b", "c", "d"]) }
    }

    @Test func checkReadsWhatOnlyTheJournalHolds() throws {
        for seed in 0..<30 as Range<UInt64> {
            let site = Site(seed: seed)
            let (log, partitions) = try prepared(site)
            for value in ["b", "c"] {
                try append(value, to: partitions)
                log.flushDirty()
            }
            // These recovery points lie beyond what the segments are sure to have.
            let checkpoint = Checkpoint(
                isClean: false, writtenMilliseconds: 0, entries: partitions.map { $0.checkpointEntry(isClosing: false) }
            )
            try checkpoint.write(to: "/data/checkpoint", inDirectory: "/data", site.simulation.machine.files)
            site.simulation.cutPower()
            let report = try LogCheckAccess.run(site)
            #expect(report.findings.allSatisfy { $0.severity == .notice } && report.batches == 13, "\(report.findings)")
            #expect(report.findings.contains { $0.message.contains("the next start puts them there") })
            if seed % 2 == 0 {
                let repaired = try LogCheckAccess.run(site, repair: true)
                #expect(repaired.isSound && repaired.batches == 13)
                let after = try LogCheckAccess.run(site)
                #expect(after.findings.isEmpty && after.batches == 13)
            }
            let (_, same) = try reopened(site)
            for partition in same {
                #expect(try partition.allValues() == ["a", "b", "c"] && partition.fenceReason == nil)
            }
        }
    }

    @Test func checkRepairsNothingThatTheJournalMayBelongTo() throws {
        let site = Site(seed: 4)
        let (log, partitions) = try prepared(site)
        try append("b", to: partitions)
        log.flushDirty()
        site.simulation.crash()
        try site.simulation.machine.files.remove("/data/log/t/topic")
        let error = #expect(throws: LogError.self) { try LogCheckAccess.run(site, repair: true) }
        #expect(error?.message.contains("start the server once") == true)
        let (_, same) = try reopened(site)
        for partition in same { #expect(try partition.allValues() == ["a", "b"]) }
    }

    @Test func threadsGoThroughItAndLoseNothing() throws {
        let directory = try TemporaryDirectory("journal")
        var settings = Self.settings
        settings.journalBytes = 256 << 10
        let log = try CommitLog.open(
            directory: directory.path, settings: settings, machine: .posix(), metadata: InMemoryMetadataStore())
        let partitions = try log.createTopic("t", partitions: 40, configs: [:]).partitions
        log.start()
        let threads = (0..<4).map { thread in
            WorkerThread(named: "writer") {
                let waiter = MonitoredWaiter()
                for number in 0..<200 {
                    for partition in partitions[(10 * thread)..<(10 * thread + 10)] {
                        guard let bytes = try? batch(["\(thread).\(number)"]),
                            let end = try? partition.append(bytes, .now).endOffset
                        else { return }
                        if !partition.notifyWhenSynced(upTo: end, waiter) { waiter.synced(nil) }
                    }
                    _ = waiter.count.wait(timeoutNanoseconds: 20_000_000_000) { $0 == 10 * (number + 1) ? $0 : nil }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(partitions.allSatisfy { $0.highWatermark == 200 })
        log.close()
        // 256 KiB hold 63 rounds: the files took turns.
        #expect(log.journalRounds > 130 && log.fencedPartitions == 0)
        #expect(partitions.reduce(0) { $0 + $1.highWatermark } == 8_000)
        #expect(try JournalContent(in: directory.path, Machine.posix().files).isEmpty)
    }
}

private final class MonitoredWaiter: SyncWaiter {
    let count = Monitor(0)

    func synced(_ error: LogError?) {
        count.withLock { $0 += error == nil ? 1 : 1_000_000 }
        count.wake()
    }
}
