extension Disk {
    /// Makes the changes of a directory durable, with the earlier ones that they build on.
    ///
    /// Changes that touch none of the same entries stay pending: POSIX promises no more, though file systems with a
    /// journal do more.
    mutating func synchronizeDirectory(_ node: Int) {
        var needed: Set<Entry> = []
        var due: Set<Int> = []
        for (index, change) in pending.enumerated().reversed() {
            let touches = change.entries.contains { $0.directory == node || needed.contains($0) }
            guard touches else { continue }
            needed.formUnion(change.entries)
            due.insert(index)
        }
        settle { index, _ in due.contains(index) }
    }

    mutating func synchronizeVolume() {
        for node in files.keys { files[node]?.synchronize() }
        settle { _, _ in true }
    }

    /// A sync of everything that failed: on some files, whose own next sync will fail as well.
    mutating func failVolume(_ random: inout SeededGenerator) {
        for node in files.keys.sorted() { files[node]?.failVolume(&random) }
    }

    /// Loses what was not synced, except what the seed keeps.
    mutating func cutPower(_ random: inout SeededGenerator) {
        settleSurvivors(&random)
        pending = []
        directories = durableDirectories
        // In the order of the numbers: a dictionary's own order differs from run to run.
        for node in files.keys.sorted() { files[node]?.cutPower(&random) }
        forgetUnreachableDirectories()
        releaseHandles()
    }

    private mutating func settleSurvivors(_ random: inout SeededGenerator) {
        switch random.upTo(3) {
        case 0:
            break
        case 1:
            settle { _, _ in true }
        case 2:
            // A journal writes in order.
            let kept = random.upTo(pending.count)
            settle { index, _ in index < kept }
        default:
            // Any change may be lost, and with it the later ones to the same entries.
            var lost: Set<Entry> = []
            let keeps = pending.map { change in
                let keep = random.coin() && !change.entries.contains { lost.contains($0) }
                if !keep { lost.formUnion(change.entries) }
                return keep
            }
            settle { index, _ in keeps[index] }
        }
    }

    /// Applies some of the pending changes to the disk, in order, and keeps the others pending.
    private mutating func settle(_ isDue: (Int, DirectoryChange) -> Bool) {
        var rest: [DirectoryChange] = []
        for (index, change) in pending.enumerated() {
            if isDue(index, change) {
                Self.apply(change, to: &durableDirectories)
            } else {
                rest.append(change)
            }
        }
        pending = rest
        sweep()
    }

    private mutating func forgetUnreachableDirectories() {
        var reachable: Set<Int> = [Self.root]
        var queue = [Self.root]
        while let node = queue.popLast() {
            for child in (directories[node] ?? [:]).values where directories[child] != nil {
                if reachable.insert(child).inserted { queue.append(child) }
            }
        }
        directories = directories.filter { reachable.contains($0.key) }
        durableDirectories = directories
    }
}
