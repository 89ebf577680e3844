import Bytes
import KafkaWire
import Log

/// Control records of Millrace's own, and how they are told from Kafka's transaction markers.
public enum ControlRecord {
    /// The type in a control record's key, "MR": clients skip types that they do not know.
    public static let type: UInt16 = 0x4D52

    /// The key of our control records: version 0, and the type.
    public static let key: [UInt8] = [0, 0, 0x4D, 0x52]

    static func isOurs(_ key: UnsafeRawBufferPointer?) -> Bool {
        guard let key, key.count >= 4 else { return false }
        return key.loadUnaligned(fromByteOffset: 2, as: UInt16.self).bigEndian == type
    }
}

/// Feeds the batches of a slice of the log to an engine.
struct RecordFeed {
    let settings: ViewSettings

    /// What came of a slice.
    struct Outcome {
        /// The first offset that is not applied.
        var nextOffset: Int64
        var records = 0
        var rejections: [Rejection] = []
        /// Those of them of which no writer is told: they go to `rejected.<topic>`.
        var unawaited: [Rejection] = []
    }

    /// Applies whole batches. A batch that its producer made so that it does not decode is rejected as a whole.
    ///
    /// - Parameter isAwaited: whether the writer of a record is told what became of it; asked of refused records only.
    /// - Throws: `.damaged` if the bytes are not what was stored.
    func apply(
        _ bytes: UnsafeRawBufferPointer, from offset: Int64, to engine: any ViewEngine,
        isAwaited: (_ offset: Int64) -> Bool
    ) throws(ViewError) -> Outcome {
        var outcome = Outcome(nextOffset: offset)
        do throws(WireError) {
            var batches = RecordBatches(bytes)
            while let batch = try batches.next() {
                guard batch.header.nextOffset > outcome.nextOffset else { continue }
                try batch.validateChecksum()
                let known = outcome.rejections.count
                apply(batch, to: engine, &outcome)
                outcome.unawaited += outcome.rejections[known...].filter { !isAwaited($0.offset) }
                outcome.nextOffset = batch.header.nextOffset
            }
            return outcome
        } catch {
            throw ViewError(
                .damaged, "the log at offset \(outcome.nextOffset) does not verify", cause: error)
        }
    }

    private func apply(_ batch: RecordBatch, to engine: any ViewEngine, _ outcome: inout Outcome) {
        // What stands for offsets without records.
        guard batch.header.recordCount > 0 else { return }
        do throws(WireError) {
            var iterator = try RecordIterator(batch, decompressionLimit: settings.decompressionBytes)
            var records: [RecordView] = []
            records.reserveCapacity(Int(min(batch.header.recordCount, 65_536)))
            while let record = try iterator.next() { records.append(record) }
            let isControl = batch.header.attributes.isControl
            if isControl { records.removeAll { !ControlRecord.isOurs($0.key) } }
            guard !records.isEmpty else { return }
            let rejections = engine.apply(
                ViewRecords(
                    appendTimeMilliseconds: batch.header.maxTimestamp, isControl: isControl, records: records))
            outcome.records += records.count
            outcome.rejections += rejections
            // The records borrow the iterator's bytes.
            withExtendedLifetime(records) { _ = iterator.header }
        } catch {
            let rejection = Rejection(
                offset: batch.header.baseOffset, position: 0, content: [],
                reason: "the batch does not decode: \(error)", count: Int(max(1, batch.header.recordCount)))
            outcome.rejections.append(rejection)
        }
    }
}
