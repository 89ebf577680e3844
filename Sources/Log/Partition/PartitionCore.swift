import Machine

/// A partition's state with its files: everything that the partition's lock protects.
struct PartitionCore: Sendable {
    enum Phase: Sendable, Equatable {
        /// Known from the checkpoint only; files are opened by the first use.
        case cold
        case open
        case closed
        case deleted
    }

    /// A file with bytes that no sync has covered yet.
    struct Unsynced: Sendable {
        let segment: Segment
        let file: any File
    }

    var phase: Phase = .cold
    /// The bytes of the segments, once somebody asked while nothing was open.
    var coldBytes: Int64?
    /// Whether the files were opened at some time.
    var isLoaded = false
    var state: PartitionState
    /// Ascending by base offset; the last one grows.
    var segments: [Segment] = []
    /// Segments that retention took out of the log, oldest first, whose files are still to be removed.
    var expired: [Segment] = []
    /// The growing segment's indexes.
    var builder = IndexBuilder(baseOffset: 0, intervalBytes: 4096)
    /// Where the next batch goes in the growing segment.
    var position: Int64 = 0
    /// How far the growing segment's file is reserved.
    var preallocatedBytes: Int64 = 0
    /// When the growing segment got its first batch, in wall milliseconds.
    var firstAppendMilliseconds: Int64 = -1
    /// The high watermark, and where it lies.
    var synced: LogPosition
    /// Where the log ended when the files were opened. What is before it may have been promised by an earlier process.
    var recovered: LogPosition
    var unsynced: [Unsynced] = []
    /// Whether the growing segment's file was cut since its last sync: behind its end the disk may still hold bytes that
    /// must never be found.
    var isCut = false
    /// Directories with entries that no sync has covered yet.
    var unsyncedDirectories: [String] = []
    /// Why appends fail.
    var fence: LogError?
    /// What a view needs of the log.
    var hold = PartitionHold()
    /// Whether a sync failed: what follows the high watermark is in an unknown state, and no later sync helps.
    var isSyncLost = false
    var waiters = WaitLists()
    /// The lists of the commit queue that the partition stands in.
    var queued: CommitQueue.Lists = []
    var hints = PositionHints()
    /// Log bytes since the last producer snapshot.
    var bytesSinceSnapshot: Int64 = 0
    /// How many producers stand in `LogContext.producers` for this partition.
    var countedProducers = 0
    /// Whether the checkpoint on disk differs from the state.
    var isChanged = false
    /// How many entries of the growing segment's index are in its file.
    var storedIndexEntries = 0

    init(state: PartitionState, synced: LogPosition) {
        self.state = state
        self.synced = synced
        recovered = synced
    }

    var active: Segment? { segments.last }

    /// Where the log ends.
    var end: LogPosition {
        LogPosition(
            offset: state.logEndOffset, segmentBase: active?.baseOffset ?? state.logEndOffset, position: position)
    }

    /// Whether nothing of the log waits for a sync, not even the entries of its files.
    var isWhollySynced: Bool {
        synced.offset == state.logEndOffset && unsynced.isEmpty && unsyncedDirectories.isEmpty
    }

    /// Whether nothing but whole batches at the end of one file waits for a sync: what the sync journal can promise.
    var isPlainlyDirty: Bool {
        guard !isCut, unsyncedDirectories.isEmpty, unsynced.count == 1, let active, unsynced[0].segment === active
        else { return false }
        return synced.segmentBase == active.baseOffset && synced.position < position
    }

    /// The segment that holds `offset`, if it is not below the first one.
    func segmentIndex(holding offset: Int64) -> Int? {
        var (low, high) = (0, segments.count)
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].baseOffset <= offset { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    mutating func noteUnsynced(_ segment: Segment, _ file: any File) {
        guard !segment.isUnsynced else { return }
        segment.isUnsynced = true
        unsynced.append(Unsynced(segment: segment, file: file))
    }
}
