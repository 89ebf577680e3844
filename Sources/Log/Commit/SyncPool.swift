import Machine

/// A few threads that sync files side by side. The caller is one of them.
final class SyncPool: Sendable {
    private struct Work: Sendable {
        var targets: [SyncTarget] = []
        var errors: [LogError?] = []
        var next = 0
        var finished = 0
        var isStopping = false

        mutating func take() -> (index: Int, target: SyncTarget)? {
            guard next < targets.count else { return nil }
            defer { next += 1 }
            return (next, targets[next])
        }
    }

    private enum Task {
        case synchronize(Int, SyncTarget)
        case stop
    }

    private let work = Monitor(Work())
    private let files: any FileSystem
    private let threads: Monitor<[WorkerThread]> = Monitor([])

    init(files: any FileSystem) {
        self.files = files
    }

    /// Starts `count` threads beside the caller's.
    func start(threads count: Int) {
        let started = (0..<count).map { index in
            WorkerThread(named: "log-sync-\(index)") { [work, files] in
                while case .synchronize(let index, let target) = SyncPool.next(work) {
                    SyncPool.finish(index, target.synchronize(files), work)
                }
            }
        }
        threads.withLock { $0 = started }
    }

    func stop() {
        work.withLock { $0.isStopping = true }
        work.wake()
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    /// Syncs every target, and returns what failed, by the targets' order.
    func synchronize(_ targets: [SyncTarget]) -> [LogError?] {
        if targets.count == 1 { return [targets[0].synchronize(files)] }
        work.withLock { work in
            work.targets = targets
            work.errors = Array(repeating: nil, count: targets.count)
            work.next = 0
            work.finished = 0
        }
        work.wake()
        while let (index, target) = work.withLock({ $0.take() }) {
            Self.finish(index, target.synchronize(files), work)
        }
        let errors = work.wait { work in work.finished == work.targets.count ? work.errors : nil }
        work.withLock { $0.targets = [] }
        return errors ?? []
    }

    private static func next(_ work: Monitor<Work>) -> Task {
        work.wait { work in
            if let (index, target) = work.take() { return .synchronize(index, target) }
            return work.isStopping ? .stop : nil
        } ?? .stop
    }

    private static func finish(_ index: Int, _ error: LogError?, _ work: Monitor<Work>) {
        let isLast = work.withLock { work in
            work.errors[index] = error
            work.finished += 1
            return work.finished == work.targets.count
        }
        if isLast { work.wake() }
    }
}
