public import Instruments

/// What was appended to a topic since the process began. Cheap to add to: an atomic addition each.
public final class TopicStatistics: Sendable {
    /// Bytes of batches.
    public let bytes = Counter()
    /// Records.
    public let records = Counter()
    /// Batches.
    public let batches = Counter()

    init() {}

    func noteAppend(_ admitted: BatchAdmission, bytes count: Int) {
        bytes.add(UInt64(count))
        records.add(UInt64(admitted.recordCount))
        batches.add(UInt64(admitted.batchCount))
    }
}
