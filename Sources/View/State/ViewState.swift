/// The pure state of one partition's view: what is applied, frozen, written, committed; and so what is to be done next.
/// A value without files, clocks and threads.
///
/// Two hands work on a view at the same time. The *applying* one feeds records to the engine, freezes its head, and
/// installs manifests. The *background* one writes blocks, compacts, and commits. Each asks for its next action, does
/// it, and tells what came of it. At most one manifest is on its way at a time:
///
///     applying:     apply … apply  freeze  apply … apply         install  apply …
///     background:                  write ───────► commit ──────► remove   compact ► commit …
///
/// The view's offset moves only by a commit. Whatever was done since the last one is done again after a crash, with
/// the same result: so nothing is in a view twice, and nothing is missing.
struct ViewState: Sendable {
    /// What the applying hand does next.
    enum Applying: Sendable, Equatable {
        /// Make a committed manifest readable.
        case install(Manifest)
        /// End the head.
        case freeze(nextOffset: Int64)
        /// Read on from here, and apply.
        case apply(from: Int64)
        /// Nothing, before this time or before something is told; nil: no time.
        case wait(untilMilliseconds: Int64?)
    }

    /// What the background hand does next.
    enum Background: Sendable, Equatable {
        /// Write the frozen head into blocks.
        case write
        /// Do one piece of compaction.
        case compact
        /// Make a manifest durable; after a failure this very one again.
        case commit(Manifest)
        /// Remove blocks that no manifest names any more.
        case remove(Set<UInt64>)
        /// Nothing, before this time or before something is told; nil: no time.
        case wait(untilMilliseconds: Int64?)
    }

    /// How far the next manifest is.
    enum Progress: Sendable, Equatable {
        case none
        /// The background hand writes or compacts.
        case working
        /// Everything it names is synced.
        case prepared(Manifest, isCut: Bool)
        /// It is durable.
        case committed(Manifest, isCut: Bool)
    }

    let settings: ViewSettings
    /// The manifest that readers see.
    private(set) var manifest: Manifest
    /// The first offset that is not applied.
    private(set) var applied: Int64
    /// The first offset that may not be read yet.
    private(set) var readable: Int64
    /// Log bytes in the head.
    private(set) var headLogBytes: Int64 = 0
    /// Log bytes in the frozen head.
    private(set) var frozenLogBytes: Int64 = 0
    /// When the first record came into the head.
    private(set) var headBegan: Int64?
    /// Where the frozen head ends; nil if there is none.
    private(set) var frozen: Int64?
    private(set) var progress = Progress.none
    /// Blocks that were replaced, whose files are still there.
    private(set) var removable: Set<UInt64> = []
    /// Whether an operator stopped it.
    var isPaused = false
    /// Why it does not get on; nil if it does.
    private(set) var stall: ViewStall?
    private var applyingRetry: Int64 = .min
    private var backgroundRetry: Int64 = .min
    private var nextCompaction: Int64 = .min
    /// A cut that somebody asked for, whatever the head's size.
    private(set) var isCutWanted = false

    /// The state after a start: everything from the manifest's `nextOffset` on is still to be applied.
    init(manifest: Manifest, settings: ViewSettings) {
        self.manifest = manifest
        self.settings = settings
        applied = manifest.nextOffset
        readable = manifest.nextOffset
    }

    /// The first offset that no committed manifest covers.
    var covered: Int64 {
        if case .committed(let manifest, _) = progress { return manifest.nextOffset }
        return manifest.nextOffset
    }

    // MARK: The applying hand

    /// What to do next.
    ///
    /// - Parameters:
    ///   - readable: the first offset of the log that may not be read yet.
    ///   - headBytes: the memory of the engine's head.
    ///   - now: milliseconds of the clock that does not jump.
    mutating func nextApplying(readable: Int64, headBytes: Int, now: Int64) -> Applying {
        self.readable = max(self.readable, readable)
        if case .committed(let manifest, _) = progress { return .install(manifest) }
        guard !isPaused else { return .wait(untilMilliseconds: nil) }
        if frozen == nil, isCutDue(headBytes, now) { return .freeze(nextOffset: applied) }
        if now < applyingRetry { return .wait(untilMilliseconds: applyingRetry) }
        if headBytes / 2 >= settings.headBytes {
            if stall == nil { stall = .headFull }
            return .wait(untilMilliseconds: nil)
        }
        if case .headFull = stall { stall = nil }
        if applied < self.readable { return .apply(from: applied) }
        guard let headBegan, frozen == nil else { return .wait(untilMilliseconds: nil) }
        return .wait(untilMilliseconds: headBegan + settings.cutMilliseconds)
    }

    private func isCutDue(_ headBytes: Int, _ now: Int64) -> Bool {
        guard let headBegan else { return false }
        return headLogBytes >= settings.cutBytes || headBytes >= settings.headBytes
            || now - headBegan >= settings.cutMilliseconds || isCutWanted
    }

    /// Everything before `offset` is applied, which took `logBytes` of the log.
    mutating func didApply(upTo offset: Int64, logBytes: Int64, now: Int64) {
        precondition(offset >= applied, "records are applied in order")
        applied = offset
        readable = max(readable, offset)
        headLogBytes += logBytes
        headBegan = headBegan ?? now
        if case .reading = stall { stall = nil }
    }

    /// The log no longer has what is before `offset`.
    mutating func skip(to offset: Int64) {
        applied = max(applied, offset)
        readable = max(readable, offset)
    }

    /// The log could not be read, or the engine not be given a manifest.
    mutating func didFailApplying(_ error: ViewError, now: Int64) {
        stall = .reading(error)
        applyingRetry = now + settings.retryMilliseconds
    }

    mutating func didFreeze() {
        precondition(frozen == nil, "one frozen head at a time")
        frozen = applied
        frozenLogBytes = headLogBytes
        headLogBytes = 0
        headBegan = nil
        isCutWanted = false
    }

    mutating func didInstall(now: Int64) {
        guard case .committed(let next, let isCut) = progress else { preconditionFailure("nothing was committed") }
        removable.formUnion(Set(manifest.blocks.map(\.id)).subtracting(next.blocks.map(\.id)))
        manifest = next
        if isCut {
            frozen = nil
            frozenLogBytes = 0
        }
        progress = .none
        nextCompaction = now
    }

    /// Lets the head be cut at the next occasion.
    mutating func cutSoon() { isCutWanted = headBegan != nil }

    // MARK: The background hand

    /// What to do next. `write` and `compact` are to be answered before it is asked again.
    mutating func nextBackground(now: Int64) -> Background {
        if now < backgroundRetry { return .wait(untilMilliseconds: backgroundRetry) }
        switch progress {
        case .working: preconditionFailure("the last action was not answered")
        case .prepared(let manifest, _): return .commit(manifest)
        case .committed: return .wait(untilMilliseconds: nil)
        case .none: break
        }
        if !removable.isEmpty { return .remove(removable) }
        guard !isPaused else { return .wait(untilMilliseconds: nil) }
        if frozen != nil {
            progress = .working
            return .write
        }
        guard nextCompaction <= now else { return .wait(untilMilliseconds: nextCompaction) }
        progress = .working
        return .compact
    }

    /// The frozen head stands in synced blocks.
    mutating func didWrite(_ change: ManifestChange, nextBlockID: UInt64) {
        guard let frozen, progress == .working else { preconditionFailure("no frozen head was to be written") }
        progress = .prepared(next(change, nextOffset: frozen, nextBlockID), isCut: true)
    }

    /// A piece of compaction stands in synced blocks; nil if there was none to do.
    mutating func didCompact(_ change: ManifestChange?, nextBlockID: UInt64, now: Int64) {
        precondition(progress == .working, "no compaction was to be done")
        if case .background = stall { stall = nil }
        guard let change else {
            progress = .none
            nextCompaction = now + settings.compactionMilliseconds
            return
        }
        progress = .prepared(next(change, nextOffset: manifest.nextOffset, nextBlockID), isCut: false)
    }

    private func next(_ change: ManifestChange, nextOffset: Int64, _ nextBlockID: UInt64) -> Manifest {
        Manifest(
            version: manifest.version + 1, nextOffset: nextOffset,
            blocks: manifest.blocks.filter { !change.removed.contains($0.id) } + change.added,
            state: change.state ?? manifest.state, nextBlockID: nextBlockID)
    }

    mutating func didCommit() {
        guard case .prepared(let manifest, let isCut) = progress else { preconditionFailure("nothing was prepared") }
        progress = .committed(manifest, isCut: isCut)
        if case .background = stall { stall = nil }
    }

    mutating func didRemove() { removable = [] }

    /// A write, a compaction, a commit or a removal failed; it is tried again later.
    mutating func didFailBackground(_ error: ViewError, now: Int64) {
        if progress == .working {
            progress = .none
            // What could not be compacted must not keep the next head from being written.
            nextCompaction = now + settings.compactionMilliseconds
        }
        stall = .background(error)
        backgroundRetry = now + settings.retryMilliseconds
    }
}

/// Why a view does not get on.
public enum ViewStall: Sendable {
    /// The log could not be read, or what it holds does not verify.
    case reading(ViewError)
    /// Blocks or a manifest could not be written.
    case background(ViewError)
    /// The head is at its bound, and the one before it is still being written.
    case headFull

    /// One sentence for a person.
    public var description: String {
        switch self {
        case .reading(let error), .background(let error): error.description
        case .headFull: "the head is full, and the one before is still being written"
        }
    }
}
