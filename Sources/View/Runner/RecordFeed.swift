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
    /// Records that came through an HTTP handler of Millrace carry this header: the writer waits for what became of
    /// them, so that they need not go to `rejected.<topic>`.
    let settings: ViewSettings

    /// What came of a slice.
    struct Outcome {
        /// The first offset that is not applied.
        var nextOffset: Int64
        var records = 0
        var rejections: [Rejection] = []
        /// Those of them whose writers wait for them elsewhere.
        var awaited = 0
        /// What goes to `rejected.<topic>`.
        var unawaited: [Rejection] = []
    }

    /// Applies whole batches. A batch that its producer made so that it does not decode is rejected as a whole.
    ///
    /// - Throws: `.damaged` if the bytes are not what was stored.
    func apply(
        _ bytes: UnsafeRawBufferPointer, from offset: Int64, to engine: any ViewEngine
    ) throws(ViewError) -> Outcome {
        var outcome = Outcome(nextOffset: offset)
        do throws(WireError) {
            var batches = RecordBatches(bytes)
            while let batch = try batches.next() {
                guard batch.header.nextOffset > outcome.nextOffset else { continue }
                try batch.validateChecksum()
                apply(batch, to: engine, &outcome)
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
            note(rejections, records, &outcome)
            // The records borrow the iterator's bytes.
            withExtendedLifetime(records) { _ = iterator.header }
        } catch {
            let rejection = Rejection(
                offset: batch.header.baseOffset, position: 0, content: [],
                reason: "the batch does not decode: \(error)", count: Int(max(1, batch.header.recordCount)))
            outcome.rejections.append(rejection)
            outcome.unawaited.append(rejection)
        }
    }

    private func note(_ rejections: [Rejection], _ records: [RecordView], _ outcome: inout Outcome) {
        guard !rejections.isEmpty else { return }
        outcome.rejections += rejections
        var last: (offset: Int64, isAwaited: Bool)?
        for rejection in rejections {
            if last?.offset != rejection.offset {
                let record = records.first { $0.offset == rejection.offset }
                last = (rejection.offset, record.map(RecordOrigin.isAwaited) ?? false)
            }
            if last?.isAwaited == true { outcome.awaited += 1 } else { outcome.unawaited.append(rejection) }
        }
    }
}

/// Who wrote a record.
public enum RecordOrigin {
    /// The header that Ingest gives to its records: whoever wrote them is told what became of each line, so that they
    /// need not go to `rejected.<topic>`, too. Its value is not looked at.
    public static let header = "millrace"

    /// Whether its writer waits for the outcome.
    static func isAwaited(_ record: RecordView) -> Bool {
        record.headerCount > 0 && record.headers.contains { $0.key == header }
    }
}
