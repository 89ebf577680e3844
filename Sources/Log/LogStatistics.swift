public import Instruments

/// What the log has done since the process began, beyond what it counts per topic. Cheap to add to: an atomic addition.
public final class LogStatistics: Sendable {
    /// Why a segment left the log.
    public enum RemovalReason: String, CaseIterable, Sendable {
        /// Its newest record was older than `retention.ms`.
        case time
        /// The partition had more than `retention.bytes`.
        case size
        /// The topic had more than `millrace.retention.disk.percent` of the disk.
        case diskShare = "disk-share"
        /// Its records were deleted by an administrator.
        case deletedRecords = "deleted-records"
        /// What counted of `__consumer_offsets` was written again behind it.
        case rewritten
    }

    /// Segments of one reason, and their bytes.
    public struct Removals: Sendable {
        /// How many.
        public let segments = Counter()
        /// The sum of their sizes.
        public let bytes = Counter()
    }

    /// Segments that were taken out of the log. Those of deleted topics are not counted.
    public let removals: [RemovalReason: Removals]
    /// Appends refused because less than the reserve of the disk is free.
    public let refusedForSpace = Counter()

    init() {
        removals = Dictionary(uniqueKeysWithValues: RemovalReason.allCases.map { ($0, Removals()) })
    }

    func noteRefusalForSpace() { refusedForSpace.add() }

    func noteRemoval(_ segment: Segment, _ reason: RemovalReason) {
        removals[reason]?.segments.add()
        removals[reason]?.bytes.add(UInt64(max(0, segment.sizeBytes)))
    }
}
