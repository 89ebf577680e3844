import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Synchronization
import Testing

/// Checks what a site has on its disk, whether a log has it open or not.
enum LogCheckAccess {
    static func run(_ site: Site, repair: Bool = false) throws -> LogReport {
        site.simulation.crash()
        return try LogCheck.run(directory: "/data", machine: site.simulation.machine, repair: repair)
    }
}

@Suite struct LogCheckTests {
    private let first = "/data/log/t/0/00000000000000000000.log"

    private func site() throws -> Site {
        let site = Site()
        var settings = LogSettings()
        settings.snapshotIntervalBytes = 1
        let (log, partition) = try site.openWithTopic(
            settings, ["segment.bytes": "2000", "index.interval.bytes": "200"])
        for number in 0..<100 as Range<Int32> {
            try partition.append(batch(["\(number + 100)"], producer: 1, epoch: 0, sequence: number))
        }
        log.close()
        return site
    }

    private var values: [String] { (100..<200).map(String.init) }

    @Test func aSoundDirectoryHasNoFindings() throws {
        let site = try site()
        let seen = Mutex<[LogCheck.Progress]>([])
        let report = try LogCheck.run(directory: "/data", machine: site.simulation.machine) { progress in
            seen.withLock { $0.append(progress) }
        }
        #expect(report.findings.isEmpty && report.isSound)
        #expect(report.partitions == 1 && report.batches == 100 && report.records == 100)
        #expect(report.segments == seen.withLock { $0.count } && report.segments > 3)
        #expect(seen.withLock { $0.allSatisfy { $0.bytesTotal == report.bytes } })
    }

    @Test func anOpenDirectoryIsRefused() throws {
        let site = try site()
        let log = try site.open()
        let error = #expect(throws: LogError.self) {
            try LogCheck.run(directory: "/data", machine: site.simulation.machine)
        }
        #expect(error?.code == .locked)
        log.close()
        let other = #expect(throws: LogError.self) {
            try LogCheck.run(directory: "/nothing", machine: site.simulation.machine)
        }
        #expect(other?.code == .damaged)
    }

    @Test func everyFlippedByteOfASegmentIsFound() throws {
        let size = try site().contents(first).count
        let size1 = try batch(["100"]).count
        for position in stride(from: 0, to: size, by: 11) {
            let site = try site()
            var byte = try site.contents(first)[position]
            byte ^= 0x40
            try site.overwrite(first, at: Int64(position), with: [byte])
            let report = try LogCheckAccess.run(site)
            // The leader epoch is the one field that neither the checksum nor the neighbours tell.
            if (12..<16).contains(position % size1) { continue }
            #expect(!report.isSound, "byte \(position)")
            let finding = try #require(report.findings.first { $0.severity == .damage })
            #expect(finding.path == first && finding.position.map { $0 <= position && position < $0 + 300 } == true)
        }
    }

    @Test func repairingKeepsEverySoundBatch() throws {
        let site = try site()
        let one = try batch(["100"]).count
        try site.overwrite(first, at: Int64(one * 5 + 66), with: [0xFF, 0xFF])
        #expect(try !LogCheckAccess.run(site).isSound)
        let report = try LogCheckAccess.run(site, repair: true)
        #expect(report.isSound)
        #expect(try site.names().contains { $0.hasSuffix(".log.quarantine") })
        #expect(try LogCheckAccess.run(site).isSound)
        let (log, partition) = try site.openWithTopic()
        #expect(partition.fenceReason == nil)
        #expect(try partition.allValues() == values.filter { $0 != "105" })
        #expect(try partition.values(from: 5, maximumBytes: 1).isEmpty, "an empty batch stands for it")
        #expect(try partition.values(from: 6, maximumBytes: 1) == ["106"])
        #expect(try partition.append(batch(["200"])).baseOffset == 100)
        log.flushDirty()
        // And again without the checkpoint, which knew that the gap is known.
        site.simulation.crash()
        try site.simulation.machine.files.remove("/data/checkpoint")
        let (_, same) = try site.openWithTopic()
        #expect(try same.allValues().count == 100 && same.fenceReason == nil)
    }

    @Test func aWrongOffsetIsPutRight() throws {
        for number in [0, 7, 99] {
            let site = try site()
            let logs = try site.names().filter { $0.hasSuffix(".log") }
            let path = number == 99 ? "/data/log/t/0/" + (logs.last ?? "") : first
            let one = try batch(["100"]).count
            let position = number == 99 ? try site.contents(path).count - one : number * one
            try site.overwrite(path, at: Int64(position + 2), with: [1])
            #expect(try LogCheckAccess.run(site).findings.contains { $0.message.contains("where \(number) belongs") })
            #expect(try LogCheckAccess.run(site, repair: true).isSound)
            let (_, partition) = try site.openWithTopic()
            #expect(try partition.allValues() == values && partition.fenceReason == nil)
        }
    }

    @Test func aLostSegmentIsToldAndFilled() throws {
        let site = try site()
        let logs = try site.names().filter { $0.hasSuffix(".log") }
        try site.simulation.machine.files.remove("/data/log/t/0/" + logs[1])
        #expect(try !LogCheckAccess.run(site).isSound)
        #expect(try LogCheckAccess.run(site, repair: true).isSound)
        #expect(try LogCheckAccess.run(site).isSound)
        let (_, partition) = try site.openWithTopic()
        #expect(partition.logEndOffset == 100 && partition.fenceReason == nil)
        #expect(try partition.values(from: 99, maximumBytes: 1) == ["199"])
    }

    @Test func aLostEndIsToldAndItsOffsetsAreNotGivenAgain() throws {
        let site = try site()
        let logs = try site.names().filter { $0.hasSuffix(".log") }
        let last = "/data/log/t/0/" + (logs.last ?? "")
        try site.truncate(last, to: 30)
        #expect(try LogCheckAccess.run(site).findings.contains { $0.message.contains("are missing") })
        #expect(try LogCheckAccess.run(site, repair: true).isSound)
        let (log, partition) = try site.openWithTopic()
        #expect(try partition.append(batch(["new"])).baseOffset == 100)
        log.flushDirty()
        #expect(try partition.values(from: 100) == ["new"])
        #expect(try partition.allValues().last == "new")
    }

    @Test func indexesSnapshotsAndTheCheckpointAreVerifiedAndRebuilt() throws {
        for suffix in [".index", ".timeindex", ".snapshot"] {
            let site = try site()
            let name = try #require(try site.names().first { $0.hasSuffix(suffix) })
            try site.overwrite("/data/log/t/0/" + name, at: 30, with: [0x77, 0x66, 0x55])
            let report = try LogCheckAccess.run(site)
            #expect(report.findings.map(\.severity) == [.rebuildable] && !report.isSound)
            #expect(report.findings.first?.path.hasSuffix(name) == true)
            #expect(try LogCheckAccess.run(site, repair: true).isSound)
            #expect(try LogCheckAccess.run(site).isSound)
            let (_, partition) = try site.openWithTopic()
            #expect(try partition.allValues() == values)
            #expect(try partition.producers().map(\.lastSequence) == [99])
        }
        let site = try site()
        try site.overwrite("/data/checkpoint", at: 20, with: [1, 2, 3])
        #expect(try !LogCheckAccess.run(site).isSound)
        #expect(try LogCheckAccess.run(site, repair: true).isSound)
        let (_, partition) = try site.openWithTopic()
        #expect(try partition.allValues() == values)
    }

    @Test func aProcessThatDiesInARollLeavesNoSealedSegmentWithoutIndexes() throws {
        // Batches of 71 bytes: the 29th begins the second segment.
        for operation in 1...100 {
            let site = Site()
            let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "2000"])
            for number in 110..<138 { try partition.append(batch(["\(number)"])) }
            #expect(try site.names().count { $0.hasSuffix(".log") } == 1)
            site.simulation.stop(atOperation: operation)
            _ = try? partition.append(batch(["the first of the next segment"]))
            let isOver = !site.simulation.isStopped
            let report = try LogCheckAccess.run(site)
            let isSound = report.isSound && report.findings.allSatisfy { !$0.message.contains("No such file") }
            #expect(isSound, "dying at operation \(operation): \(report.findings)")
            withExtendedLifetime(log) {}
            if isOver { return #expect(operation > 8 && report.segments == 2) }
        }
    }

    @Test func indexesThatADyingProcessLeftBehindAreNoDamage() throws {
        for suffix in [".index", ".timeindex"] {
            for size: Int64? in [nil, 0] {
                let site = try site()
                let path = "/data/log/t/0/00000000000000000000" + suffix
                if let size {
                    try site.truncate(path, to: size)
                } else {
                    try site.simulation.machine.files.remove(path)
                }
                let report = try LogCheckAccess.run(site)
                #expect(report.isSound && report.findings.map(\.severity) == [.notice])
                let (log, partition) = try site.openWithTopic()
                #expect(try partition.values(from: 5, maximumBytes: 1) == ["105"])
                #expect(try partition.allValues() == values)
                log.close()
                #expect(try LogCheckAccess.run(site).findings.isEmpty)
            }
        }
    }

    @Test func whatDoesNotBelongIsToldOf() throws {
        let site = try site()
        for name in ["/data/log/t/0/notes.txt", "/data/log/t/readme", "/data/log/t/0/00000000000000000007.log.deleted"]
        {
            let file = try site.simulation.machine.files.open(name, .create)
            file.close()
        }
        let report = try LogCheckAccess.run(site)
        #expect(report.isSound && report.findings.count == 3)
        #expect(report.findings.allSatisfy { $0.severity == .notice })
    }
}
