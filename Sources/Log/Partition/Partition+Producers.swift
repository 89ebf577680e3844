import Synchronization

extension Partition {
    /// Keeps the total over all partitions up to date. If there are too many, this partition forgets the one that was
    /// idle longest for each that it met, but never the newest.
    ///
    /// After every turn of the lock, so it costs one comparison unless a producer came or went.
    @inline(__always)
    func countProducers(_ core: inout PartitionCore) {
        let count = core.phase == .open ? core.state.producers.count : 0
        if count != core.countedProducers { recount(&core, count) }
    }

    private func recount(_ core: inout PartitionCore, _ count: Int) {
        let met = count - core.countedProducers
        core.countedProducers = count
        let excess = context.producers.change(by: met)
        let forgotten = min(excess, met, count - 1)
        guard forgotten > 0 else { return }
        core.state.forgetProducers(idleLongest: forgotten)
        core.countedProducers -= forgotten
        _ = context.producers.change(by: -forgotten)
        context.producers.noteForgotten(forgotten)
    }

    /// When each producer was heard of last, on the clock that does not jump, in milliseconds.
    func appendProducerUses(to uses: inout [Int64]) {
        core.withLock { core in
            guard core.phase == .open else { return }
            core.state.producers.appendUses(to: &uses)
        }
    }

    /// Forgets whom nobody has heard of since `deadline`.
    ///
    /// - Returns: how many.
    func forgetProducers(idleSince deadline: Int64) -> Int {
        withCore { core in
            guard core.phase == .open else { return 0 }
            let before = core.state.producers.count
            core.state.removeIdleProducers(since: deadline)
            return before - core.state.producers.count
        }
    }
}

extension CommitLog {
    /// Forgets the idempotent producers that were idle longest, whatever partition they write to, once there are nearly
    /// as many as `LogSettings.maximumProducers`.
    public func boundProducers() {
        let budget = context.producers
        guard budget.isNearlyFull else { return }
        let partitions = registry.topics.flatMap(\.partitions)
        var uses: [Int64] = []
        uses.reserveCapacity(budget.count)
        for partition in partitions { partition.appendProducerUses(to: &uses) }
        let surplus = uses.count - budget.target
        guard surplus > 0 else { return }
        uses.sort()
        let deadline = uses[surplus]
        let forgotten = partitions.reduce(0) { $0 + $1.forgetProducers(idleSince: deadline) }
        guard forgotten > 0 else { return }
        budget.noteForgotten(forgotten)
        report(
            .warning,
            "\(forgotten) idle idempotent producers are forgotten: \(budget.limit) are remembered in total")
    }
}
