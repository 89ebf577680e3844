import Instruments
import Machine
import Synchronization

/// Runs the rounds of group commit: one at a time, so that while one runs the next collects.
final class Flusher: Sendable {
    private let queue: CommitQueue
    private let machine: Machine
    private let directory: String
    private let open: OpenSegments
    private let pool: SyncPool
    private let choice = Mutex(SyncChoice())
    private let thread = Mutex<WorkerThread?>(nil)
    private let round = Mutex(WakeUps())
    /// Rounds so far.
    let rounds = Counter()
    /// Requests that waited for a round.
    let requests = Counter()
    /// How long a round's syncs took.
    let latency = Histogram(scale: .latency)

    init(_ context: LogContext) {
        queue = context.commits
        machine = context.machine
        directory = context.directory
        open = context.segments.open
        pool = SyncPool(files: context.files)
    }

    func start(threads: Int) {
        pool.start(threads: max(0, threads - 1))
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
        try round.withLock { wakeUps throws(MachineError) in
            let targets =
                taken.urgent.compactMap { $0.beginSync(takenFrom: .urgent) }
                + taken.lazy.compactMap { $0.beginSync(takenFrom: .lazy) }
            defer { wakeUps.deliver() }
            do throws(MachineError) {
                try machine.files.synchronizeVolume(holding: directory)
            } catch {
                synchronizeFiles(targets, &wakeUps)
                throw error
            }
            for target in targets { target.partition.endSync(target, nil, &wakeUps) }
        }
    }

    private func run(_ taken: CommitQueue.Round) {
        round.withLock { wakeUps in
            var targets = taken.urgent.compactMap { $0.beginSync(takenFrom: .urgent) }
            targets += taken.lazy.compactMap { $0.beginSync(takenFrom: .lazy) }
            guard !targets.isEmpty else { return }
            let fileCount = targets.reduce(0) { $0 + $1.files.count + $1.directories.count }
            let start = machine.clock.monotonicNanoseconds()
            if choice.withLock({ $0.usesVolume(for: fileCount) }) {
                targets += queue.takeLazy().compactMap { $0.beginSync(takenFrom: .lazy) }
                synchronizeVolume(targets, fileCount, &wakeUps)
            } else {
                synchronizeFiles(targets, &wakeUps)
                let elapsed = machine.clock.monotonicNanoseconds() - start
                choice.withLock { $0.note(files: elapsed, files: fileCount) }
            }
            latency.record(machine.clock.monotonicNanoseconds() - start)
            rounds.add()
            requests.add(UInt64(taken.requests))
            wakeUps.deliver()
            open.trim()
        }
    }

    private func synchronizeFiles(_ targets: [SyncTarget], _ wakeUps: inout WakeUps) {
        for (target, error) in zip(targets, pool.synchronize(targets)) {
            target.partition.endSync(target, error, &wakeUps)
        }
    }

    /// One `syncfs`; if it fails, each file by itself tells which partition is to be fenced.
    private func synchronizeVolume(_ targets: [SyncTarget], _ fileCount: Int, _ wakeUps: inout WakeUps) {
        let start = machine.clock.monotonicNanoseconds()
        do {
            try machine.files.synchronizeVolume(holding: directory)
        } catch {
            return synchronizeFiles(targets, &wakeUps)
        }
        choice.withLock { $0.note(volume: machine.clock.monotonicNanoseconds() - start, files: fileCount) }
        for target in targets { target.partition.endSync(target, nil, &wakeUps) }
    }
}
