import KafkaWire
import Log
import Machine
import Synchronization

extension Views {
    /// Opens the views of topics that are new or have become views, and closes those of topics that are not any more.
    func reconcile() {
        changes.withLock { _ in
            let topics = log.topics()
            let wanted = topics.filter { $0.configuration.view != .none }
            let kinds = Dictionary(uniqueKeysWithValues: wanted.map { ($0.id, $0.configuration.view) })
            let all = Set(topics.map(\.id))
            for (id, views) in table.withLock({ $0 }) where kinds[id] != views.topic.configuration.view {
                close(views, isDeleted: !all.contains(id))
            }
            for topic in wanted { open(topic) }
        }
    }

    private func open(_ topic: Topic) {
        guard let kind = kinds[topic.configuration.view] else {
            return report(.error, topic.name, "this process has no views of kind \(topic.configuration.view.name)")
        }
        var views = table.withLock { $0[topic.id] } ?? TopicViews(topic: topic, kind: kind)
        for partition in topic.partitions {
            if case .open = views.partitions[partition.index] { continue }
            do throws(ViewError) {
                let open = try open(partition, of: topic, kind)
                views.partitions[partition.index] = .open(open)
                kind.publish(open.view.engine, for: topic, partition: partition.index)
            } catch {
                views.partitions[partition.index] = .failed(error)
                report(.error, "\(topic.name)-\(partition.index)", "the view cannot be opened: \(error)")
                // The log is kept for whoever repairs the view, up to the bound.
                try? partition.hold(from: partition.logStartOffset, limitBytes: settings.holdBytes)
                if error.code == .storage || error.code == .noSpace { tryAgainLater() }
            }
        }
        table.withLock { $0[topic.id] = views }
    }

    /// Opens one view, holds what it needs of the log, and lets it work.
    private func open(
        _ partition: Partition, of topic: Topic, _ kind: any ViewKind
    ) throws(ViewError) -> OpenView {
        let place = try ViewDirectory.live(
            data: log.directory, topicID: topic.id, partition: partition.index, files: machine.files)
        let hold = HoldGuard(
            partition, liveGeneration: place.generation, covered: partition.logStartOffset,
            limitBytes: settings.holdBytes)
        let view = try PartitionView(
            of: partition, at: place, engine: kind.makeEngine(for: topic, partition: partition.index),
            settings: settings, machine: machine, hooks: hooks(hold, generation: place.generation))
        do throws(LogError) {
            _ = try partition.resume(at: view.covered)
            try hold.covered(view.covered, by: place.generation)
        } catch {
            throw ViewError(viewing: error)
        }
        if let gap = view.skipGap() {
            report(.error, view.label, "the log no longer has the records \(gap); the view goes on without them")
        }
        start(view)
        return OpenView(view: view, hold: hold)
    }

    /// What a generation of a partition's view tells those around it.
    func hooks(_ hold: HoldGuard, generation: Int) -> PartitionView.Hooks {
        let label = "\(hold.partition.topicName)-\(hold.partition.index)"
        return PartitionView.Hooks(
            covered: { [report] offset in
                do throws(LogError) {
                    try hold.covered(offset, by: generation)
                } catch {
                    guard error.code != .unknownTopic, error.code != .closed else { return }
                    report(.warning, label, "cannot let go of the log before \(offset): \(error)")
                }
            },
            rejected: { [rejected] rejections in
                if hold.isLive(generation) { rejected.add(rejections, from: hold.partition) }
            },
            report: { [report] severity, message in report(severity, label, message) })
    }

    private func close(_ views: TopicViews, isDeleted: Bool) {
        for (index, entry) in views.partitions {
            guard case .open(let open) = entry else { continue }
            open.rebuilt?.view.close()
            open.view.close()
            views.kind.retire(views.topic, partition: index)
            open.hold.partition.releaseHold()
        }
        table.withLock { $0[views.topic.id] = nil }
        if isDeleted { remove(ViewDirectory.topic(data: log.directory, views.topic.id)) }
    }

    private func tryAgainLater() {
        let now = Int64(machine.clock.monotonicNanoseconds() / 1_000_000)
        chores.request(atMilliseconds: now + 10 * settings.retryMilliseconds)
    }

    /// What deleted topics left: their ids never come back.
    func removeOrphans() {
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
