import KafkaWire
import Log
import Machine
import Synchronization

/// A view that grows beside the live one.
struct RebuiltView: Sendable {
    let view: PartitionView
    /// Where its replay began.
    let from: Int64
}

extension Views {
    /// Begins to rebuild a topic's view beside the live one, which readers go on to use; when the new one has applied as
    /// much, it takes over.
    ///
    /// From the log's start on, or from the first record of a time on, everything is applied again. What is older is in
    /// blocks only: these are the truth, and the new view begins with them. If the log still has everything, nothing is
    /// taken from the old view. A view that could not be opened because of damage is made anew at once, if the log still
    /// has everything.
    ///
    /// - Parameter time: milliseconds since 1970; nil for the log's start.
    /// - Throws: `.unknown`; `.limitReached` if it is being rebuilt already; `.closed` if it is not open and cannot be
    ///   made anew; `.damaged`, `.noSpace`, `.storage`.
    public func rebuild(_ topic: String, from time: Int64? = nil) throws(ViewError) {
        // Finishes what is begun, and opens what is made anew, though a later partition may fail.
        defer { chores.request() }
        try changes.withLock { _ throws(ViewError) in
            guard let found = log.topic(named: topic), let views = table.withLock({ $0[found.id] }) else {
                throw ViewError(.unknown, "\(topic) has no view")
            }
            for (index, entry) in views.partitions.sorted(by: { $0.key < $1.key }) {
                guard case .open(var open) = entry else {
                    try beginAnew(index, entry, found)
                    continue
                }
                guard open.rebuilt == nil else { throw ViewError(.limitReached, "\(topic) is being rebuilt already") }
                open.rebuilt = try beginRebuild(open, views, time)
                table.withLock { $0[found.id]?.partitions[index] = .open(open) }
                report(.notice, open.view.label, "the view is being rebuilt from offset \(open.rebuilt?.from ?? 0) on")
            }
        }
    }

    /// Lets an empty generation take the place of a view that could not be opened: nobody reads it meanwhile, and the
    /// log has all that it had.
    private func beginAnew(_ index: Int32, _ entry: Entry, _ topic: Topic) throws(ViewError) {
        guard case .failed(let error) = entry, error.code == .damaged, let partition = topic.partition(index) else {
            throw ViewError(.closed, "the view of \(topic.name)-\(index) is not open: see `millrace view status`")
        }
        guard partition.logStartOffset == 0 else {
            throw ViewError(
                .closed,
                "the view of \(topic.name)-\(index) is damaged, and its log no longer has everything: restore a backup")
        }
        let old = try ViewDirectory.live(
            data: log.directory, topicID: topic.id, partition: index, files: machine.files)
        let place = ViewDirectory(
            data: log.directory, topicID: topic.id, partition: index, generation: old.generation + 1)
        do throws(MachineError) {
            try machine.files.createDirectory(place.path)
        } catch {
            throw ViewError("cannot create \(place.path)", error)
        }
        try place.takeOver(machine.files)
        report(.notice, "\(topic.name)-\(index)", "the view is made anew from the log: \(error)")
    }

    private func beginRebuild(_ open: OpenView, _ views: TopicViews, _ time: Int64?) throws(ViewError) -> RebuiltView {
        let (live, partition) = (open.view, open.hold.partition)
        let from: Int64
        do throws(LogError) {
            let wanted = if let time { try partition.offset(forTimestamp: time)?.offset } else { nil as Int64? }
            from = min(live.covered, max(partition.logStartOffset, wanted ?? (time == nil ? 0 : .max)))
            try open.hold.keep(from: from)
        } catch {
            throw ViewError(viewing: error)
        }
        let place = ViewDirectory(
            data: log.directory, topicID: partition.topicID, partition: partition.index,
            generation: live.place.generation + 1)
        do throws(ViewError) {
            try removeAll(place.path)
            if from > 0 { try live.found(place, from: from) }
            let view = try PartitionView(
                of: partition, at: place, engine: views.kind.makeEngine(for: views.topic, partition: partition.index),
                settings: settings, machine: machine, hooks: hooks(open.hold, generation: place.generation))
            start(view)
            return RebuiltView(view: view, from: from)
        } catch {
            try? open.hold.keep(from: nil)
            throw error
        }
    }

    private func removeAll(_ path: String) throws(ViewError) {
        do {
            try machine.files.remove(path)
        } catch {
            throw ViewError("cannot remove \(path)", error)
        }
    }

    /// Lets rebuilt views take over that have applied as much as the live ones, and waits for the others.
    func finishRebuilds() {
        changes.withLock { _ in
            for (id, views) in table.withLock({ $0 }) {
                for (index, entry) in views.partitions {
                    guard case .open(let open) = entry, let rebuilt = open.rebuilt else { continue }
                    if let next = finish(open, rebuilt, views) {
                        table.withLock { $0[id]?.partitions[index] = .open(next) }
                    } else {
                        askAgain(rebuilt.view, open.view)
                    }
                }
            }
        }
    }

    /// - Returns: what is open from now on; nil if the rebuilt view is still behind, or could not take over.
    private func finish(_ open: OpenView, _ rebuilt: RebuiltView, _ views: TopicViews) -> OpenView? {
        let (live, view) = (open.view, rebuilt.view)
        // Nothing is applied to the live view meanwhile, so that readers do not go back.
        let hasTakenOver = live.applying.withLock { _ -> Bool in
            guard view.applied >= live.applied else { return false }
            do throws(ViewError) {
                try view.place.takeOver(machine.files)
            } catch {
                report(.error, view.label, "the rebuilt view cannot take over: \(error)")
                return false
            }
            views.kind.publish(view.engine, for: views.topic, partition: view.index)
            view.adoptWaiters(of: live)
            return true
        }
        guard hasTakenOver else { return nil }
        live.close()
        do throws(LogError) {
            try open.hold.takeOver(view.place.generation, covered: view.covered)
        } catch {
            report(.warning, view.label, "the hold on the log stays where it was: \(error)")
        }
        remove(live.place.path)
        report(.notice, view.label, "the rebuilt view has taken over")
        return OpenView(view: view, hold: open.hold, rebuilt: nil)
    }

    /// Looks again when the rebuilt view is where the live one is now.
    private func askAgain(_ view: PartitionView, _ live: PartitionView) {
        let applied = live.applied
        guard view.applied < applied else {
            // It could not take over.
            let now = Int64(machine.clock.monotonicNanoseconds() / 1_000_000)
            return chores.request(atMilliseconds: now + settings.retryMilliseconds)
        }
        view.notifyWhenApplied(applied - 1..<applied, timeoutMilliseconds: .max) { [weak self] result in
            if case .success = result { self?.chores.request() }
        }
    }
}

extension PartitionView {
    /// Founds the next generation with this one's blocks: the files get a second name, and a manifest that says where
    /// the replay begins.
    ///
    /// - Parameter from: the first offset that is to be applied again.
    fileprivate func found(_ place: ViewDirectory, from: Int64) throws(ViewError) {
        try background.withLock { chain throws(ViewError) in
            guard var manifest = chain.newest else { return }
            let next = try DirectoryBlockStore(place, files: machine.files, nextBlockID: manifest.nextBlockID)
            var sound: [BlockEntry] = []
            for entry in manifest.blocks {
                do throws(ViewError) {
                    try blocks.verify(entry)
                } catch  where error.code == .damaged {
                    hooks.report(.error, "block \(entry.id) is left out of the rebuilt view: \(error)")
                    continue
                }
                try blocks.share(entry, with: next)
                sound.append(entry)
            }
            manifest.blocks = sound
            manifest.version = 1
            manifest.nextOffset = from
            var founded = try ManifestChain(place, files: machine.files)
            try founded.commit(manifest)
        }
    }

    /// Takes over those who wait for another view of the same partition.
    fileprivate func adoptWaiters(of other: PartitionView) {
        let waiters = other.core.withLock { core in
            defer { core.waiters = ViewWaiters() }
            return core.waiters
        }
        let awaited = other.awaited.withLock { $0 }
        self.awaited.withLock { $0 = awaited }
        let released = core.withLock { core in
            core.waiters.add(all: waiters)
            return core.waiters.release(appliedUpTo: core.state.applied, core.ring)
        }
        for (body, result) in released { body(result) }
        wakeApplying()
    }
}
