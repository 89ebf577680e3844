import Machine

/// The sync journal of a running log: makes many small appends durable with the sync of one file
/// (docs/decisions/012, docs/formats/journal.md). The flusher's lock protects it.
///
/// What it holds is promised, so a file is emptied only when a sync that began after its last round has covered the
/// segments. After any failed sync nobody knows what those hold: it then freezes, takes nothing more, and stays as it is
/// for the next start.
struct SyncJournal: Sendable {
    enum Phase: Sendable {
        /// No round has wanted it yet.
        case absent
        /// Its files are being created.
        case wanted
        case ready
        /// Not before the next start.
        case off
    }

    enum Outcome: Sendable {
        case committed
        /// Without an error: to be synced without it.
        case unsuitable
        /// It takes nothing more.
        case failed(MachineError)
    }

    var phase: Phase
    private(set) var isFrozen = false
    private var files: [JournalFile] = []
    private var current = 0
    private var nextGeneration: UInt64 = 1
    private let roundLimit: Int
    private var builder = JournalRoundBuilder()

    init(_ settings: LogSettings) {
        phase = settings.journalBytes < 2 * JournalFormat.blockBytes ? .off : .absent
        roundLimit = min(settings.journalRoundBytes, Int(settings.journalBytes) - JournalFormat.blockBytes)
    }

    /// Takes over the created files, unless a sync failed meanwhile.
    mutating func begin(_ created: [JournalFile]) {
        guard phase == .wanted else { return }
        files = created
        nextGeneration = (created.map(\.generation).max() ?? 0) + 1
        phase = .ready
    }

    /// Whether it holds nothing that a start would have to redo.
    var isEmpty: Bool { files.allSatisfy(\.isEmpty) }
    var isUsable: Bool { phase == .ready && !isFrozen }
    /// Whether a file waits to be emptied.
    var hasClosedFile: Bool { isUsable && files.contains { $0.isClosed } }

    /// Makes what each target appended durable, in one round. All have a `plainStart`.
    mutating func commit(_ targets: [SyncTarget]) -> Outcome {
        guard isUsable else { return .unsuitable }
        let byteCount = targets.reduce(0) { $0 + $1.plainBytes }
        let sizeBytes = JournalFormat.roundBytes(entries: targets.count, bytes: byteCount)
        guard sizeBytes <= roundLimit, findRoom(for: sizeBytes) else { return .unsuitable }
        builder.begin(sizeBytes: sizeBytes)
        do throws(MachineError) {
            for target in targets { try add(target) }
        } catch {
            return .unsuitable
        }
        let file = files[current]
        do throws(MachineError) {
            try builder.finish(generation: file.generation, number: file.rounds) { bytes throws(MachineError) in
                try files[current].append(bytes)
            }
            return .committed
        } catch {
            isFrozen = true
            return .failed(error)
        }
    }

    private mutating func add(_ target: SyncTarget) throws(MachineError) {
        guard let start = target.plainStart else { preconditionFailure("only plain targets are journaled") }
        try builder.add(
            target.partition.topicID, target.partition.index, segmentBase: start.segmentBase,
            position: start.position, byteCount: target.plainBytes
        ) { buffer throws(MachineError) in try target.copyPlain(into: buffer) }
    }

    /// Lets `current` be a file with room. A full one is closed; if the other one is still being emptied, there is none.
    private mutating func findRoom(for byteCount: Int) -> Bool {
        if files[current].hasRoom(for: byteCount) { return true }
        files[current].isClosed = true
        guard let other = files.firstIndex(where: { $0.hasRoom(for: byteCount) }) else { return false }
        current = other
        return true
    }

    // MARK: Emptying

    /// Closes what is to be emptied: full files, or all that hold anything.
    ///
    /// - Returns: their generations, for `endRetirement` after a sync of the volume.
    mutating func beginRetirement(all: Bool) -> [UInt64] {
        guard isUsable else { return [] }
        if all {
            for index in files.indices where !files[index].isEmpty { files[index].isClosed = true }
        }
        return files.filter(\.isClosed).map(\.generation)
    }

    /// Empties those of `generations` that are not empty yet. The volume was synced since `beginRetirement`.
    mutating func endRetirement(_ generations: [UInt64]) throws(MachineError) {
        guard isUsable else { return }
        for index in files.indices where generations.contains(files[index].generation) {
            do {
                try files[index].empty(generation: nextGeneration)
            } catch {
                isFrozen = true
                throw error
            }
            nextGeneration += 1
        }
    }

    /// Takes nothing more, and keeps what it holds.
    ///
    /// - Returns: what it holds, to be written to the segments again.
    mutating func freeze() throws(MachineError) -> [JournalImage] {
        isFrozen = true
        if phase != .ready { phase = .off }
        var images: [JournalImage] = []
        for file in files.sorted(by: { $0.generation < $1.generation }) where !file.isEmpty {
            images.append(try file.image())
        }
        return images
    }
}

extension SyncJournal {
    /// Creates the files, or takes over those of an earlier process, which its start has redone.
    ///
    /// - Throws: what failed; then there are no files.
    static func create(
        in directory: String, _ settings: LogSettings, _ fileSystem: any FileSystem
    ) throws(MachineError) -> [JournalFile] {
        do throws(MachineError) {
            // Before the first round: a program that does not know the journal must not open the directory any more.
            try DataDirectory.write(format: DataDirectory.formatVersion, in: directory, fileSystem)
            let sizeBytes = settings.journalBytes
            var generation: UInt64 = 0
            var opened: [any File] = []
            for index in 0..<2 {
                let path = JournalFormat.path(index, in: directory)
                let file = try JournalFile.open(path, sizeBytes: sizeBytes, fileSystem)
                var block = [UInt8](repeating: 0, count: JournalFormat.blockBytes)
                _ = try block.withMutableBytes { buffer throws(MachineError) in try file.read(into: buffer, at: 0) }
                generation = max(generation, block.withUnsafeBytes { JournalFormat.generation(ofFirstBlock: $0) } ?? 0)
                opened.append(file)
            }
            var files: [JournalFile] = []
            for file in opened {
                generation += 1
                files.append(try JournalFile(file, sizeBytes: sizeBytes, generation: generation))
            }
            try fileSystem.synchronizeDirectory(directory)
            return files
        } catch {
            for index in 0..<2 { try? fileSystem.remove(JournalFormat.path(index, in: directory)) }
            throw error
        }
    }
}
