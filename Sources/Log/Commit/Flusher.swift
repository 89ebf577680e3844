import Instruments
import Machine
import Synchronization

/// Runs the rounds of group commit: one at a time, so that while one runs the next collects.
final class Flusher: Sendable {
    /// What rounds share.
    struct RoundState: Sendable {
        var wakeUps = WakeUps()
        var journal: SyncJournal
        /// Whether the data directory says that it may hold a journal.
        var isFormatMarked: Bool
    }

    let queue: CommitQueue
    let context: LogContext
    let registry: TopicRegistry
    private let pool: SyncPool
    private let choice = Mutex(SyncChoice())
    private let thread = Mutex<WorkerThread?>(nil)
    let round: Mutex<RoundState>
    /// Every sync of the volume while the log is open.
    let volume: VolumeSync
    /// What the journal's thread has to do.
    let journalWork = Monitor(JournalWork())
    let journalThread = Mutex<WorkerThread?>(nil)
    /// Rounds so far.
    let rounds = Counter()
    /// Rounds that went through the journal, in whole or in part.
    let journalRounds = Counter()
    /// Requests that waited for a round.
    let requests = Counter()
    /// How long a round's syncs took.
    let latency = Histogram(scale: .latency)

    /// - Parameter format: what the data directory says.
    init(_ context: LogContext, _ registry: TopicRegistry, format: Int) {
        queue = context.commits
        self.context = context
        self.registry = registry
        pool = SyncPool(files: context.files)
        volume = VolumeSync(context)
        round = Mutex(
            RoundState(
                journal: SyncJournal(context.settings), isFormatMarked: format > DataDirectory.formatWithoutJournal))
    }

    func start(threads: Int) {
        pool.start(threads: max(0, threads - 1))
        startJournal()
        let thread = WorkerThread(named: "log-commit") { [self] in
            while let round = queue.waitForRound() {
                run(round)
                queue.finish(requests: round.requests)
            }
        }
        self.thread.withLock { $0 = thread }
    }

    func stop() {
        queue.stop()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
        stopJournal()
        pool.stop()
    }

    /// Syncs everything that waits.
    func flushAll() {
        let round = queue.takeAll()
        run(round)
        queue.finish(requests: round.requests)
    }

    /// Syncs whatever was written to the volume, and everything that waits along with it.
    ///
    /// An error of `syncfs` is told once, so nobody syncs the volume past the rounds.
    func flushVolume() throws(MachineError) {
        let taken = queue.takeAll()
        defer { queue.finish(requests: taken.requests) }
        try round.withLock { state throws(MachineError) in
            let targets =
                taken.urgent.compactMap { $0.beginSync(takenFrom: .urgent) }
                + taken.lazy.compactMap { $0.beginSync(takenFrom: .lazy) }
            defer { state.wakeUps.deliver() }
            do throws(MachineError) {
                try volume.synchronize()
            } catch {
                synchronizeFiles(targets, &state)
                freezeJournal(&state)
                throw error
            }
            for target in targets { target.partition.endSync(target, nil, &state.wakeUps) }
            emptyClosedFiles(&state)
        }
    }

    private func run(_ taken: CommitQueue.Round) {
        round.withLock { state in
            var targets = taken.urgent.compactMap { $0.beginSync(takenFrom: .urgent) }
            targets += taken.lazy.compactMap { $0.beginSync(takenFrom: .lazy) }
            guard !targets.isEmpty else { return }
            let start = context.machine.clock.monotonicNanoseconds()
            // What nobody waits for is better written once: the journal is for the others.
            let isUrgent = taken.urgent.count >= context.settings.journalMinimumPartitions
            let rest = isUrgent ? commitToJournal(targets, &state) : targets
            if !rest.isEmpty { synchronize(rest, &state) }
            latency.record(context.machine.clock.monotonicNanoseconds() - start)
            rounds.add()
            requests.add(UInt64(taken.requests))
            state.wakeUps.deliver()
            context.segments.open.trim()
        }
    }

    /// Whether so many files are to be synced with the whole volume.
    func usesVolume(for fileCount: Int) -> Bool {
        !volume.isInDoubt && choice.withLock { $0.usesVolume(for: fileCount) }
    }

    private func synchronize(_ targets: [SyncTarget], _ state: inout RoundState) {
        let fileCount = targets.reduce(0) { $0 + $1.fileCount }
        let start = context.machine.clock.monotonicNanoseconds()
        if usesVolume(for: fileCount) {
            let more = queue.takeLazy().compactMap { $0.beginSync(takenFrom: .lazy) }
            synchronizeVolume(targets + more, fileCount, &state)
        } else {
            synchronizeFiles(targets, &state)
            let elapsed = context.machine.clock.monotonicNanoseconds() - start
            choice.withLock { $0.note(files: elapsed, files: fileCount) }
        }
    }

    private func synchronizeFiles(_ targets: [SyncTarget], _ state: inout RoundState) {
        var hasFailed = false
        for (target, error) in zip(targets, pool.synchronize(targets)) {
            target.partition.endSync(target, error, &state.wakeUps)
            hasFailed = hasFailed || error != nil
        }
        if hasFailed { freezeJournal(&state) }
    }

    /// One `syncfs`; if it fails, each file by itself tells which partition is to be fenced.
    private func synchronizeVolume(_ targets: [SyncTarget], _ fileCount: Int, _ state: inout RoundState) {
        let start = context.machine.clock.monotonicNanoseconds()
        do {
            try volume.synchronize()
        } catch {
            synchronizeFiles(targets, &state)
            return freezeJournal(&state)
        }
        choice.withLock { $0.note(volume: context.machine.clock.monotonicNanoseconds() - start, files: fileCount) }
        for target in targets { target.partition.endSync(target, nil, &state.wakeUps) }
        emptyClosedFiles(&state)
    }
}
