import Machine
import Synchronization

/// What all segments of a log share.
struct SegmentContext: Sendable {
    let files: any FileSystem
    let open: OpenSegments
}

/// A segment: a file of batches, and two indexes into it. Everything but the last segment of a partition is sealed,
/// and never changes again.
final class Segment: Sendable {
    private struct Handles: Sendable {
        var file: (any File)?
        var indexes: SegmentIndexes?
        var isListed = false
    }

    let baseOffset: Int64
    let directory: String
    let context: SegmentContext
    private let handles = Mutex(Handles())
    private let wasUsed = Atomic<Bool>(false)
    private let unsynced = Atomic<Bool>(false)
    private let size: Atomic<Int64>
    private let largestTimestamp = Atomic<Int64>(Segment.unknownTimestamp)

    static let unknownTimestamp = Int64.min

    init(baseOffset: Int64, sizeBytes: Int64, directory: String, context: SegmentContext) {
        self.baseOffset = baseOffset
        self.directory = directory
        self.context = context
        size = Atomic(sizeBytes)
    }

    func path(_ kind: SegmentName.Kind) -> String {
        directory + "/" + SegmentName.file(baseOffset, kind)
    }

    /// Bytes of batches in the file.
    var sizeBytes: Int64 {
        get { size.load(ordering: .relaxed) }
        set { size.store(newValue, ordering: .relaxed) }
    }

    /// Whether a sync of the file is due; it then stays open.
    var isUnsynced: Bool {
        get { unsynced.load(ordering: .relaxed) }
        set { unsynced.store(newValue, ordering: .relaxed) }
    }

    /// Whether it was used since the last call.
    func takeChance() -> Bool {
        wasUsed.exchange(false, ordering: .relaxed)
    }

    /// The segment's file, opened if necessary.
    func file() throws(LogError) -> any File {
        wasUsed.store(true, ordering: .relaxed)
        if let file = handles.withLock({ $0.file }) { return file }
        return try open(.readWrite)
    }

    /// Creates the file of a new segment.
    func create() throws(MachineError) -> any File {
        let file = try context.files.open(path(.log), .replace)
        adopt(file)
        return file
    }

    /// The indexes of a sealed segment: mapped, or rebuilt if they do not verify.
    func indexes() throws(LogError) -> SegmentIndexes {
        wasUsed.store(true, ordering: .relaxed)
        if let indexes = handles.withLock({ $0.indexes }) { return indexes }
        let indexes: SegmentIndexes
        if let stored = storedIndexes() { indexes = stored } else { indexes = try rebuiltIndexes() }
        let isNew = handles.withLock { handles in
            handles.indexes = indexes
            defer { handles.isListed = true }
            return !handles.isListed
        }
        if isNew { context.open.opened(self) }
        return indexes
    }

    /// Drops descriptor and maps; slices that hold them keep them.
    func closeFiles() {
        handles.withLock { $0 = Handles() }
    }

    /// Drops descriptor and maps of a segment that is of no use any more.
    func forgetFiles() {
        closeFiles()
        context.open.closed(self)
    }

    /// The largest timestamp of a sealed segment in milliseconds, or -1.
    func maxTimestamp() throws(LogError) -> Int64 {
        let known = largestTimestamp.load(ordering: .relaxed)
        if known != Self.unknownTimestamp { return known }
        let timestamp = try indexes().times.last?.timestamp ?? -1
        noteMaxTimestamp(timestamp)
        return timestamp
    }

    func noteMaxTimestamp(_ timestamp: Int64) {
        largestTimestamp.store(timestamp, ordering: .relaxed)
    }

    private func open(_ access: FileAccess) throws(LogError) -> any File {
        let file: any File
        do {
            file = try context.files.open(path(.log), access)
        } catch {
            throw LogError(.storage, "cannot open \(path(.log))", cause: error)
        }
        return adopt(file)
    }

    /// Keeps `file`, unless another thread was faster.
    @discardableResult
    private func adopt(_ file: any File) -> any File {
        let (kept, isNew) = handles.withLock { handles -> (any File, Bool) in
            if let other = handles.file { return (other, false) }
            handles.file = file
            defer { handles.isListed = true }
            return (file, !handles.isListed)
        }
        if isNew { context.open.opened(self) }
        return kept
    }

    private func storedIndexes() -> SegmentIndexes? {
        do {
            let offsets = try IndexFile.read(
                OffsetEntry.self, baseOffset: baseOffset, directory: directory, files: context.files)
            let times = try IndexFile.read(
                TimeEntry.self, baseOffset: baseOffset, directory: directory, files: context.files)
            guard offsets.coveredBytes == sizeBytes, times.coveredBytes == sizeBytes else { return nil }
            return SegmentIndexes(offsets: .mapped(offsets), times: .mapped(times))
        } catch {
            return nil
        }
    }
}
