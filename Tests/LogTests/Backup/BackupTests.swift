import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Testing

@Suite struct BackupTests {
    private func site(_ count: Int32 = 100) throws -> (BackupSite, CommitLog, Partition) {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "2000"])
        for number in 0..<count {
            try partition.append(batch(["\(number + 100)"], producer: 1, epoch: 0, sequence: number))
        }
        log.flushDirty()
        return (BackupSite(site), log, partition)
    }

    @Test func aBackupOfARunningServerHoldsEverything() throws {
        let (backup, log, partition) = try site()
        log.checkpoint()
        let report = try backup.back()
        #expect(report.findings.isEmpty && report.notices.isEmpty)
        #expect(report.topics == 1 && report.partitions == 1 && report.offsets == 100)
        #expect(report.linkedBytes > 5_000)
        // What the server does afterwards changes nothing.
        try partition.append(batch(["later"]))
        log.flushDirty()
        let restored = try backup.open(backup.restore())
        let found = try #require(restored.topic(named: "t"))
        #expect(found.id == log.topic(named: "t")?.id && found.configs == ["segment.bytes": "2000"])
        #expect(try found.partitions[0].allValues() == (100..<200).map(String.init))
        #expect(restored.clusterID == log.clusterID)
        #expect(found.partitions[0].leaderEpoch == 1001)
        #expect(try found.partitions[0].append(batch(["199"], producer: 1, epoch: 0, sequence: 99)).isDuplicate)
        #expect(try found.partitions[0].append(batch(["next"], producer: 1, epoch: 0, sequence: 100)).baseOffset == 100)
        #expect(try restored.nextProducerID() >= 1_000_000_000)
        #expect(try partition.allValues().last == "later")
    }

    @Test func aBackupOfAStoppedServerRedoesTheJournal() throws {
        for end in 0..<3 {
            let site = Site(seed: 5)
            var settings = LogSettings()
            settings.journalMinimumPartitions = 1
            let (log, partition) = try site.openWithTopic(settings)
            for number in 0..<20 {
                try partition.append(batch(["\(number)"]), .now)
                log.flushDirty()
            }
            #expect(log.journalRounds > 0)
            let high = partition.highWatermark
            switch end {
            case 0: log.close()
            case 1: site.simulation.crash()
            default: site.simulation.cutPower()
            }
            let backup = BackupSite(site)
            #expect(try backup.back().findings.isEmpty)
            let restored = try backup.restore()
            let check = try LogCheck.run(directory: "/restored", machine: site.simulation.machine)
            #expect(check.isSound && check.records == 20)
            let found = try #require(try backup.open(restored).topic(named: "t")).partitions[0]
            #expect(try found.allValues().count == 20 && found.logEndOffset == high)
            #expect(restored.messages().isEmpty)
        }
    }

    @Test func anEarlierBackupSparesItsSegments() throws {
        let (backup, log, partition) = try site()
        log.checkpoint()
        try backup.back("/first")
        for number in 100..<150 as Range<Int32> {
            try partition.append(batch(["\(number + 100)"], producer: 1, epoch: 0, sequence: number))
        }
        log.flushDirty()
        log.checkpoint()
        let before = backup.site.simulation.calls(of: .read)
        try backup.back("/second") { $0.previous = "/first" }
        let reads = backup.site.simulation.calls(of: .read) - before
        try backup.back("/third")
        #expect(backup.site.simulation.calls(of: .read) - before - reads > reads, "\(reads)")
        let found = try #require(try backup.open(backup.restore("/second")).topic(named: "t")).partitions[0]
        #expect(try found.allValues() == (100..<250).map(String.init))
    }

    @Test func whereNoLinksCanBeThereAreCopies() throws {
        let (backup, log, _) = try site()
        log.checkpoint()
        backup.site.simulation.inject(SimulatedFault(.other, at: [.link], .from(1)))
        let report = try backup.back()
        #expect(report.linkedBytes == 0 && report.bytes > 6_000)
        let found = try #require(try backup.open(backup.restore()).topic(named: "t")).partitions[0]
        #expect(try found.allValues() == (100..<200).map(String.init))
    }

    @Test func placesThatMustNotHoldABackupAreRefused() throws {
        let (backup, _, _) = try site()
        let files = backup.site.simulation.machine.files
        for place in ["/data", "/data/backup", "/data/log/t/b"] {
            #expect(throws: LogError.self) { try backup.begin(place) }
        }
        try files.createDirectory("/full/x")
        #expect(throws: LogError.self) { try backup.begin("/full") }
        #expect(throws: LogError.self) { try backup.begin("/backup") { $0.previous = "/nothing" } }
        try backup.back()
        #expect(throws: LogError.self) { try backup.begin("/backup") }
        #expect(throws: LogError.self) { try backup.restore(to: "/data") }
        #expect(throws: LogError.self) { try backup.restore(to: "/full") }
        #expect(throws: LogError.self) { try backup.restore("/data", to: "/restored") }
        #expect(throws: LogError.self) { try backup.site.simulation.machine.openLog("/backup") }
        #expect(try files.information(at: "/data/backup") == nil)
    }

    @Test func aTopicThatIsDeletedMeanwhileIsLeftOut() throws {
        let (backup, log, _) = try site(10)
        let other = try log.createTopic("other", partitions: 2, configs: [:])
        try other.partitions[1].append(batch(["x"]))
        log.flushDirty()
        for count in 0..<12 {
            let id = try #require(log.topic(named: "t") ?? log.topic(named: "u")).id
            var making = try backup.begin("/b\(count)")
            for _ in 0..<count { _ = try making.step() }
            try log.deleteTopic(id)
            let renamed = try log.createTopic(count % 2 == 0 ? "u" : "t", partitions: 1, configs: [:])
            try renamed.partitions[0].append(batch(["new"]))
            log.flushDirty()
            while try making.step() {}
            let restored = try backup.restore("/b\(count)", to: "/r\(count)")
            let copy = try backup.open(restored, "/r\(count)")
            #expect(try copy.topic(named: "other")?.partitions[1].allValues() == ["x"])
            for topic in copy.topics() where topic.id != other.id {
                let values = try topic.partitions[0].allValues()
                #expect(topic.id == id ? values.count == (count == 0 ? 10 : 1) : values == ["new"] || values.isEmpty)
            }
            #expect(restored.messages().isEmpty, "\(restored.messages())")
        }
    }

    @Test func damageIsToldAndRestoredAsItIs() throws {
        let (backup, log, _) = try site()
        log.close()
        try backup.site.overwrite("/data/log/t/0/00000000000000000000.log", at: 100, with: [9, 9, 9])
        let report = try backup.back()
        #expect(report.findings.count == 1)
        let restored = try backup.restore()
        let check = try LogCheck.run(directory: "/restored", machine: backup.site.simulation.machine)
        #expect(!check.isSound && check.records == 99)
        withExtendedLifetime(restored) {}
    }

    @Test func everyFlippedByteOfABackupIsFound() throws {
        let (backup, log, _) = try site(40)
        log.close()
        try backup.back { $0.isLinking = false }
        let files = backup.site.simulation.machine.files
        let reader = try BackupReader("/backup", files)
        try reader.verify()
        for name in reader.manifest.files.map(\.path) + ["manifest"] {
            let bytes = try backup.site.contents("/backup/" + name)
            for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 40)) {
                // The second leaves no text behind: a byte that may stand nowhere in UTF-8.
                for other in [bytes[position] ^ 0x11, 0xFF] where other != bytes[position] {
                    try backup.site.overwrite("/backup/" + name, at: Int64(position), with: [other])
                    #expect(throws: LogError.self) { try BackupReader("/backup", files).verify() }
                }
                try backup.site.overwrite("/backup/" + name, at: Int64(position), with: [bytes[position]])
            }
            try backup.site.truncate("/backup/" + name, to: Int64(bytes.count - 1))
            #expect(throws: LogError.self) { try BackupReader("/backup", files).verify() }
            try files.rename("/backup/" + name, to: "/aside")
            let missing = #expect(throws: LogError.self) { try backup.restore(to: "/r") }
            #expect(missing?.code == .damaged)
            try files.rename("/aside", to: "/backup/" + name)
            try backup.site.truncate("/backup/" + name, to: Int64(bytes.count - 1))
            try backup.site.overwrite("/backup/" + name, at: Int64(bytes.count - 1), with: [bytes[bytes.count - 1]])
        }
        #expect(try files.information(at: "/r") == nil)
        try BackupReader("/backup", files).verify()
        try backup.site.overwrite("/backup/format", at: 0, with: Array("millrace backup format 2\n".utf8))
        #expect(throws: LogError.self) { try BackupReader("/backup", files) }
    }

    /// The process that makes a backup, or the machine, ends at any operation: the backup is whole or has no manifest.
    @Test func aBackupThatWasNotFinishedIsNone() throws {
        for (operation, isPowerCut) in stride(from: 1, to: 400, by: 7).flatMap({ [($0, true), ($0, false)] }) {
            let (backup, log, _) = try site(40)
            log.close()
            backup.site.simulation.stop(atOperation: operation)
            _ = try? backup.back()
            let isOver = !backup.site.simulation.isStopped
            isPowerCut ? backup.site.simulation.cutPower() : backup.site.simulation.crash()
            let files = backup.site.simulation.machine.files
            if try files.information(at: "/backup/manifest") != nil {
                #expect(throws: Never.self) { try BackupReader("/backup", files).verify() }
                #expect(try backup.open(backup.restore()).topic(named: "t")?.partitions[0].allValues().count == 40)
            } else {
                #expect(!isOver && throwsDamage { _ = try backup.restore() })
                try backup.back("/again")
                #expect(try backup.open(backup.restore("/again")).topics().count == 1)
            }
        }
    }

    /// The same for a restore: a server opens all of it or nothing, and the same command goes on.
    @Test func aRestoreThatWasNotFinishedIsBegunAnew() throws {
        var unfinished = 0
        for (operation, isPowerCut) in stride(from: 1, to: 300, by: 5).flatMap({ [($0, true), ($0, false)] }) {
            let (backup, log, _) = try site(40)
            log.close()
            try backup.back()
            backup.site.simulation.stop(atOperation: operation)
            let first = try? backup.restore()
            isPowerCut ? backup.site.simulation.cutPower() : backup.site.simulation.crash()
            let files = backup.site.simulation.machine.files
            let format = try? backup.site.contents("/restored/format")
            if let format, String(decoding: format, as: UTF8.self).hasPrefix("millrace data format"), let first {
                #expect(try backup.open(first).topic(named: "t")?.partitions[0].allValues().count == 40)
                continue
            }
            if format != nil {
                #expect(throws: LogError.self) { try backup.site.simulation.machine.openLog("/restored") }
            }
            unfinished += 1
            if format.map({ String(decoding: $0, as: UTF8.self).hasPrefix("millrace data format") }) ?? false {
                continue
            }
            let again = try backup.restore()
            #expect(try backup.open(again).topic(named: "t")?.partitions[0].allValues().count == 40)
            #expect(try !files.contents(ofDirectory: "/restored").contains { $0.hasSuffix(".new") })
        }
        #expect(unfinished > 20)
    }

    @Test func aFullDiskLeavesNoWholeBackupAndNoDataDirectory() throws {
        let (backup, log, _) = try site(40)
        log.close()
        backup.site.simulation.inject(SimulatedFault(.noSpace, at: [.write], path: "/backup/log", .call(2)))
        let error = #expect(throws: LogError.self) { try backup.back { $0.isLinking = false } }
        #expect(error?.code == .noSpace)
        try backup.back("/second")
        backup.site.simulation.setCapacity(bytes: 1 << 20)
        let restoring = #expect(throws: LogError.self) { try backup.restore("/second") }
        #expect(restoring?.code == .noSpace)
        #expect(throws: LogError.self) { try backup.site.simulation.machine.openLog("/restored") }
        backup.site.simulation.setCapacity(bytes: 1 << 30)
        #expect(try backup.open(backup.restore("/second")).topics().count == 1)
    }

    private func throwsDamage(_ body: () throws -> Void) -> Bool {
        do { try body() } catch { return (error as? LogError)?.code == .damaged }
        return false
    }
}

extension Machine {
    fileprivate func openLog(_ directory: String) throws {
        _ = try CommitLog.open(
            directory: directory, settings: LogSettings(), machine: self, metadata: InMemoryMetadataStore())
    }
}
