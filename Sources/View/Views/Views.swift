public import KafkaWire
public import Log
public import Machine
import Synchronization

/// The views of all topics: opened, driven and closed as the topics come and go.
///
/// Any thread may call anything. Without `start()` no thread runs.
public final class Views: Sendable {
    /// The view of one topic: its partitions' views, or why one could not be opened.
    struct TopicViews: Sendable {
        let topic: Topic
        let kind: any ViewKind
        var partitions: [Int32: Entry] = [:]
    }

    enum Entry: Sendable {
        case open(OpenView)
        case failed(ViewError)
    }

    struct OpenView: Sendable {
        var view: PartitionView
        let hold: HoldGuard
        /// The next generation, which is being rebuilt.
        var rebuilt: RebuiltView?
    }

    let log: CommitLog
    let machine: Machine
    let settings: ViewSettings
    let report: @Sendable (LogEvent.Severity, _ view: String, _ message: String) -> Void
    let kinds: [TopicView: any ViewKind]
    let table = Mutex<[Uuid: TopicViews]>([:])
    /// Held while views are opened, closed and replaced.
    let changes = Mutex<Void>(())
    let rejected: RejectedTopics
    let workers: [ViewWorker]
    private let background: ViewWorker
    private let choresSeat = Mutex<ViewWorker.Seat?>(nil)

    /// The views of a log, none of which is open yet.
    ///
    /// - Parameters:
    ///   - kinds: what makes the engines, by the config `millrace.view`.
    ///   - report: hears what an operator should know; any thread.
    public init(
        log: CommitLog, machine: Machine, settings: ViewSettings, kinds: [TopicView: any ViewKind],
        report: @escaping @Sendable (LogEvent.Severity, _ view: String, _ message: String) -> Void
    ) {
        self.log = log
        self.machine = machine
        self.settings = settings
        self.kinds = kinds
        self.report = report
        workers = (0..<max(1, settings.applyThreads)).map { ViewWorker(named: "view-\($0)", clock: machine.clock) }
        background = ViewWorker(named: "view-blocks", clock: machine.clock)
        rejected = RejectedTopics(log: log, settings: settings, clock: machine.clock)
    }

    /// Opens the views of all topics, removes what views of deleted topics left, and follows the topics from now on.
    /// What cannot be opened is reported, and the others serve. Call it before the log's own threads start.
    public func open() {
        removeOrphans()
        reconcile()
        log.observeTopics { [weak self] in self?.reconcile() }
    }

    /// Starts the threads.
    public func start() {
        for worker in workers { worker.start() }
        background.start()
        rejected.start(at: background) { [report] in report(.warning, "", $0) }
    }

    /// Ends every view and the threads: what is not committed is applied again by the next start.
    public func stop() {
        log.observeTopics {}
        let entries = table.withLock { table in table.values.flatMap { $0.partitions.values } }
        for case .open(let open) in entries {
            open.rebuilt?.view.close()
            open.view.close()
        }
        for worker in workers { worker.stop() }
        background.stop()
        rejected.write { report(.warning, "", $0) }
    }

    /// Gives a view its turns.
    func start(_ view: PartitionView) {
        view.start(applying: workers[Int(UInt32(bitPattern: view.index)) % workers.count], background: background)
    }

    /// What is done beside the views' own steps: opening again what could not be opened, and finishing rebuilds.
    var chores: ViewWorker.Seat {
        choresSeat.withLock { seat in
            if let seat { return seat }
            let new = ViewWorker.Seat(at: background) { [weak self] in
                self?.finishRebuilds()
                self?.reconcile()
                return .wait(untilMilliseconds: nil)
            }
            seat = new
            return new
        }
    }

    /// The view of a partition.
    ///
    /// - Throws: `.unknown` if the topic has none, or why it could not be opened.
    public func view(of topic: Uuid, partition: Int32) throws(ViewError) -> PartitionView {
        switch table.withLock({ $0[topic]?.partitions[partition] }) {
        case .open(let open): return open.view
        case .failed(let error): throw error
        case nil: throw ViewError(.unknown, "there is no view of partition \(partition) of this topic")
        }
    }

    /// The view of a partition.
    ///
    /// - Throws: `.unknown` if there is no such topic or if it has no view, or why it could not be opened.
    public func view(named topic: String, partition: Int32) throws(ViewError) -> PartitionView {
        guard let found = log.topic(named: topic) else { throw ViewError(.unknown, "there is no topic \(topic)") }
        return try view(of: found.id, partition: partition)
    }
}
