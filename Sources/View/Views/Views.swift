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
        case open(PartitionView)
        case failed(ViewError)
    }

    let log: CommitLog
    let machine: Machine
    let settings: ViewSettings
    let report: @Sendable (LogEvent.Severity, _ view: String, _ message: String) -> Void
    private let kinds: [TopicView: any ViewKind]
    let table = Mutex<[Uuid: TopicViews]>([:])
    /// Held while views are opened and closed.
    let changes = Mutex<Void>(())
    private let workers: [ViewWorker]
    let background: ViewWorker
    let rejected: RejectedTopics
    private let retrySeat: Mutex<ViewWorker.Seat?> = Mutex(nil)

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
        let open = table.withLock { table in table.values.flatMap { $0.partitions.values } }
        for case .open(let view) in open { view.close() }
        for worker in workers { worker.stop() }
        background.stop()
    }

    /// The view of a partition.
    ///
    /// - Throws: `.unknown` if the topic has none, or why it could not be opened.
    public func view(of topic: Uuid, partition: Int32) throws(ViewError) -> PartitionView {
        switch table.withLock({ $0[topic]?.partitions[partition] }) {
        case .open(let view): return view
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

    /// Opens the views of topics that are new or have become views, and closes those of topics that are not any more.
    func reconcile() {
        changes.withLock { _ in
            let topics = log.topics()
            let wanted = topics.filter { $0.configuration.view != .none }
            let ids = Set(wanted.map(\.id))
            let all = Set(topics.map(\.id))
            for (id, views) in table.withLock({ $0 }) where !ids.contains(id) {
                close(views, isDeleted: !all.contains(id))
            }
            for topic in wanted { open(topic) }
        }
    }

    private func open(_ topic: Topic) {
        let known = table.withLock { $0[topic.id] }
        guard let kind = known?.kind ?? kinds[topic.configuration.view] else {
            return report(.error, topic.name, "this process has no views of kind \(topic.configuration.view.name)")
        }
        var views = known ?? TopicViews(topic: topic, kind: kind)
        for partition in topic.partitions {
            if case .open = views.partitions[partition.index] { continue }
            do throws(ViewError) {
                let view = try open(partition, of: topic, kind)
                views.partitions[partition.index] = .open(view)
                kind.publish(view.engine, for: topic, partition: partition.index)
            } catch {
                views.partitions[partition.index] = .failed(error)
                report(.error, "\(topic.name)-\(partition.index)", "the view cannot be opened: \(error)")
                if error.code == .storage || error.code == .noSpace { tryAgainLater() }
            }
        }
        table.withLock { $0[topic.id] = views }
    }

    /// Opens one view, holds what it needs of the log, and lets it work.
    private func open(
        _ partition: Partition, of topic: Topic, _ kind: any ViewKind
    ) throws(ViewError) -> PartitionView {
        let place = ViewDirectory(data: log.directory, topicID: topic.id, partition: partition.index)
        try removeUnfinishedRebuild(of: partition)
        let view = try PartitionView(
            of: partition, at: place, engine: kind.makeEngine(for: topic, partition: partition.index),
            settings: settings, machine: machine, hooks: hooks(partition))
        try hold(partition, view)
        start(view)
        return view
    }

    func hooks(_ partition: Partition) -> PartitionView.Hooks {
        let label = "\(partition.topicName)-\(partition.index)"
        let limit = settings.holdBytes
        return PartitionView.Hooks(
            covered: { [report] offset in
                do throws(LogError) {
                    try partition.hold(from: offset, limitBytes: limit)
                } catch {
                    if error.code != .unknownTopic, error.code != .closed {
                        report(.warning, label, "cannot let go of the log before \(offset): \(error)")
                    }
                }
            },
            rejected: { [rejected] in rejected.add($0, from: partition) },
            report: { [report] severity, message in report(severity, label, message) })
    }

    private func hold(_ partition: Partition, _ view: PartitionView) throws(ViewError) {
        do throws(LogError) {
            let covered = view.covered
            _ = try partition.resume(at: covered)
            try partition.hold(from: covered, limitBytes: settings.holdBytes)
        } catch {
            throw ViewError(viewing: error)
        }
        if let gap = view.skipGap() {
            report(.error, view.label, "the log no longer has the records \(gap); the view goes on without them")
        }
    }

    func start(_ view: PartitionView) {
        view.start(applying: workers[Int(UInt32(bitPattern: view.index)) % workers.count], background: background)
    }

    private func close(_ views: TopicViews, isDeleted: Bool) {
        for (index, entry) in views.partitions {
            guard case .open(let view) = entry else { continue }
            view.close()
            views.kind.retire(views.topic, partition: index)
            view.partition.releaseHold()
        }
        table.withLock { $0[views.topic.id] = nil }
        if isDeleted { remove(ViewDirectory.topic(data: log.directory, views.topic.id)) }
    }

    private func tryAgainLater() {
        retrySeat.withLock { seat in
            let mine =
                seat
                ?? ViewWorker.Seat(at: background) { [weak self] in
                    self?.reconcile()
                    return .wait(untilMilliseconds: nil)
                }
            seat = mine
            let now = Int64(machine.clock.monotonicNanoseconds() / 1_000_000)
            mine.request(atMilliseconds: now + 10 * settings.retryMilliseconds)
        }
    }

    // MARK: Files

    /// What deleted topics left: their ids never come back.
    private func removeOrphans() {
        let all = ViewDirectory.all(data: log.directory)
        let names: [String]
        do {
            guard try machine.files.information(at: all) != nil else { return }
            names = try machine.files.contents(ofDirectory: all)
        } catch {
            return report(.warning, "", "cannot list \(all): \(error)")
        }
        for name in names where Uuid(name).flatMap(log.topic(id:)) == nil {
            report(.notice, "", "\(all)/\(name) belongs to no topic; it is removed")
            remove(all + "/" + name)
        }
    }

    func remove(_ path: String) {
        do {
            try machine.files.remove(path)
        } catch {
            report(.warning, "", "cannot remove \(path), which goes with the next start: \(error)")
        }
    }

    private func removeUnfinishedRebuild(of partition: Partition) throws(ViewError) {
        let place = ViewDirectory(
            data: log.directory, topicID: partition.topicID, partition: partition.index, isRebuilt: true)
        do {
            try machine.files.remove(place.path)
        } catch {
            throw ViewError("cannot remove \(place.path)", error)
        }
    }
}

extension ViewError {
    /// What kept the log from doing what a view needs.
    init(viewing error: LogError) {
        let code: Code =
            switch error.code {
            case .noSpace: .noSpace
            case .viewBehind: .holdFull
            case .closed: .closed
            case .unknownTopic: .unknown
            case .damaged, .fenced: .damaged
            case .overloaded: .limitReached
            default: .storage
            }
        self.init(code, error.message, cause: error)
    }
}
