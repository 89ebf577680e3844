import Instruments
import Machine
import Synchronization

/// What the journal's thread has to do.
struct JournalWork: Sendable {
    /// Whether there is a thread. A simulation has none: the journal is then created by the round that wants it, and
    /// emptied by checkpoints and by rounds that sync the volume anyway.
    var isThreaded = false
    var isDue = false
    var isStopping = false
}

extension Flusher {
    // MARK: Rounds

    /// Makes what it can durable with the journal, if the round is one for it.
    ///
    /// - Returns: the targets that are still to be synced.
    func commitToJournal(_ targets: [SyncTarget], _ state: inout RoundState) -> [SyncTarget] {
        let minimum = context.settings.journalMinimumPartitions
        guard state.journal.phase != .off, !state.journal.isFrozen else { return targets }
        let plain = targets.filter { $0.plainStart != nil }
        guard plain.count >= minimum else { return targets }
        let rest = targets.filter { $0.plainStart == nil }
        // A sync of the volume covers everything.
        if !rest.isEmpty, usesVolume(for: rest.reduce(0) { $0 + $1.fileCount }) { return targets }
        // Without room on the disk it waits for better times.
        if state.journal.phase == .absent, !context.disk.isShort { wantJournal(&state) }
        let outcome = state.journal.commit(plain)
        if state.journal.hasClosedFile { wakeJournal() }
        switch outcome {
        case .unsuitable: return targets
        case .failed(let error):
            report("a write to the sync journal failed; it takes nothing more until the next start: \(error)")
            return targets
        case .committed:
            journalRounds.add()
            for target in plain { target.partition.endSync(target, nil, &state.wakeUps) }
            return rest
        }
    }

    /// After a sync of the volume that began when these files were closed already.
    func emptyClosedFiles(_ state: inout RoundState) {
        let generations = state.journal.beginRetirement(all: false)
        if !generations.isEmpty { endRetirement(generations, &state) }
    }

    // MARK: Failed syncs

    /// After a failed sync nobody knows which bytes are still in the page cache, or on the disk. What the journal has
    /// promised is safe in it; it is written to the segments once more for those who read, and redone by the next start.
    func freezeJournal(_ state: inout RoundState) {
        do throws(MachineError) {
            for image in try state.journal.freeze() {
                for entry in image.rounds.flatMap(\.entries) {
                    let partition = registry.topic(id: entry.topicID)?.partition(entry.partition)
                    image.bytes.withUnsafeBytes {
                        partition?.restore(entry, UnsafeRawBufferPointer(rebasing: $0[entry.range]))
                    }
                }
            }
        } catch {
            report("cannot read back the sync journal; the next start redoes it: \(error)")
        }
    }

    // MARK: Emptying

    /// Syncs the volume, and empties what the journal held by then.
    ///
    /// - Parameter all: whether files that still have room are meant, too.
    func retireJournal(all: Bool) {
        let generations = round.withLock { $0.journal.beginRetirement(all: all) }
        guard !generations.isEmpty else { return }
        do throws(MachineError) {
            try volume.synchronize()
        } catch {
            return round.withLock { freezeJournal(&$0) }
        }
        // Under the lock of the rounds: a sync that failed meanwhile, and lost what this one should have covered, has
        // frozen the journal by now.
        round.withLock { endRetirement(generations, &$0) }
    }

    private func endRetirement(_ generations: [UInt64], _ state: inout RoundState) {
        do throws(MachineError) {
            try state.journal.endRetirement(generations)
        } catch {
            report("cannot empty the sync journal; it takes nothing more until the next start: \(error)")
        }
    }

    /// Empties the journal for an orderly end, after the last round.
    ///
    /// - Returns: whether it holds nothing that the next start has to redo.
    func closeJournal() -> Bool {
        retireJournal(all: true)
        return round.withLock { state in
            guard state.journal.isEmpty else { return false }
            state.journal.phase = .off
            guard state.isFormatMarked else { return true }
            do {
                try DataDirectory.write(
                    format: DataDirectory.formatWithoutJournal, in: context.directory, context.files)
                state.isFormatMarked = false
            } catch {
                report("cannot write the format of \(context.directory): \(error)")
            }
            return true
        }
    }

    // MARK: Creating

    private func wantJournal(_ state: inout RoundState) {
        state.journal.phase = .wanted
        if journalWork.withLock({ $0.isThreaded }) { return wakeJournal() }
        install(createJournal(), &state)
    }

    private func install(_ files: [JournalFile]?, _ state: inout RoundState) {
        state.isFormatMarked = true
        if let files { state.journal.begin(files) } else { state.journal.phase = .off }
    }

    /// The journal's files; nil, told, if they cannot be had.
    private func createJournal() -> [JournalFile]? {
        do throws(MachineError) {
            let files = try SyncJournal.create(in: context.directory, context.settings, context.files)
            // The first call opens the descriptor that hears of errors; so it hears of all that come after.
            try volume.synchronize()
            return files
        } catch {
            report("cannot create the sync journal; many partitions are synced without: \(error)")
            return nil
        }
    }

    // MARK: The thread

    func startJournal() {
        journalWork.withLock { $0.isThreaded = true }
        let thread = WorkerThread(named: "log-journal") { [self] in
            while journalIsDue() { serveJournal() }
        }
        journalThread.withLock { $0 = thread }
    }

    func stopJournal() {
        journalWork.withLock { $0.isStopping = true }
        journalWork.wake()
        journalThread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    private func wakeJournal() {
        journalWork.withLock { $0.isDue = true }
        journalWork.wake()
    }

    /// Waits for work; false at the end.
    private func journalIsDue() -> Bool {
        journalWork.wait { work in
            if work.isStopping { return false }
            defer { work.isDue = false }
            return work.isDue ? true : nil
        } ?? false
    }

    private func serveJournal() {
        if round.withLock({ $0.journal.phase == .wanted }) {
            let files = createJournal()
            round.withLock { install(files, &$0) }
        }
        retireJournal(all: false)
    }

    private func report(_ message: String) {
        context.report(LogEvent(severity: .warning, partition: "", message: message))
    }
}
