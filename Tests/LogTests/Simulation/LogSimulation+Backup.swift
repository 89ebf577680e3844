import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Storage

/// A backup that is being made of the log, step by step between those of the simulation.
struct BackupUnderTest {
    var backup: Backup
    let place: String
    /// What was promised when it began.
    let promised: [String: TopicModel]
    let began: Int
}

extension LogSimulation {
    func beginBackup() throws {
        guard backup == nil else { return }
        backupNumber += 1
        let place = "/backups/\(backupNumber)"
        note("begin backup \(place)")
        try observe()
        var settings = BackupSettings()
        settings.isLinking = chance.upTo(3) > 0
        if let last = lastBackup, chance.coin() { settings.previous = last }
        let began = steps.count
        let begun = try attempt("beginning a backup") {
            let metadata = metadata
            return try Backup(of: Self.directory, to: place, settings: settings, machine: simulated.machine) {
                () throws(StorageError) in try metadata.list(prefix: "")
            }
        }
        guard let begun else { return }
        backup = BackupUnderTest(backup: begun, place: place, promised: topics, began: began)
    }

    func stepBackup(_ count: Int) throws {
        guard var current = backup else { return try beginBackup() }
        backup = nil
        for _ in 0..<count {
            // A fault since it began may have cut off what it had copied already.
            guard let goesOn = try attempt("a step of the backup", { try current.backup.step() }) else { return }
            if !goesOn {
                note("backup \(current.place) is whole")
                guard !wasTroubled else { return }
                return try check(current)
            }
        }
        backup = current
    }

    /// Restores a backup beside the log, and looks at everything.
    private func check(_ made: BackupUnderTest) throws {
        guard !simulated.isStopped, !simulated.isStopping else { return }
        let report = made.backup.report
        try expect(report.findings.isEmpty, "the backup found damage: \(report.findings)")
        let directory = "/restored/\(backupNumber)"
        let machine = simulated.machine
        let restored = InMemoryMetadataStore()
        try BackupReader(made.place, machine.files).verify()
        // The store outlives its closing, as a file does.
        var restore = try Restore(from: made.place, to: directory, machine: machine) {
            () throws(StorageError) in OpenStore(restored)
        }
        while try restore.step() {}
        let check = try LogCheck.run(directory: directory, machine: machine)
        try expect(check.findings.allSatisfy { $0.severity == .notice }, "check: \(check.findings)")
        let copy = try CommitLog.open(
            directory: directory, settings: Self.settings(seed: seed), machine: machine, metadata: restored)
        copy.flushDirty()
        for (name, earlier) in made.promised {
            guard let now = topics[name], now.id == earlier.id else { continue }
            guard let topic = copy.topic(named: name), topic.id == earlier.id else {
                throw SimulationFailure("topic \(name) is not in the backup")
            }
            for index in earlier.partitions.indices {
                guard let partition = topic.partition(Int32(index)) else {
                    throw SimulationFailure("partition \(name)-\(index) is not in the backup")
                }
                try compare(partition, now.partitions[index], earlier.partitions[index])
            }
        }
        copy.close()
        for place in [directory, made.place] where chance.coin() || place == directory {
            try machine.files.remove(place)
        }
        lastBackup = try machine.files.information(at: made.place) == nil ? nil : made.place
        checkedBackups += 1
    }

    private func compare(_ partition: Partition, _ now: PartitionModel, _ earlier: PartitionModel) throws {
        let label = "\(partition.topicName)-\(partition.index) of the backup"
        if let reason = partition.fenceReason { throw SimulationFailure("\(label) is fenced: \(reason)") }
        let (start, end) = (partition.logStartOffset, partition.logEndOffset)
        do {
            try now.checkBackup(
                from: start, to: end, content(of: partition, from: start, to: end), since: earlier)
        } catch {
            throw SimulationFailure("\(label): \(error)")
        }
        try expect(
            partition.leaderEpoch > now.leaderEpoch + 900, "\(label): leader epoch \(partition.leaderEpoch)")
        // Whoever goes on where the backup ends must not store a batch twice.
        let last = now.batches.last { $0.endOffset <= end && $0.baseOffset >= start && $0.batch.producerID >= 0 }
        guard let last else { return }
        var bytes = last.batch.bytes
        let result: AppendResult
        do {
            result = try bytes.withUnsafeMutableBytes { try partition.append($0, durability: .none) }
        } catch let error as LogError where error.code == .invalidTimestamp {
            // The wall clock has gone back since.
            return
        }
        try expect(
            result.isDuplicate && result.baseOffset == last.baseOffset,
            "\(label): stored a batch of producer \(last.batch.producerID) twice, at \(result.baseOffset)")
    }
}
