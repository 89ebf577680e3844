import KafkaWire
import Telemetry

/// Makes batches of records out of lines. Pure.
enum BatchComposer {
    /// The headers that a view reads of a record of lines; docs/series.md describes them.
    ///
    /// - Parameter timeNanoseconds: the time of lines without one; nil if each has its own.
    static func headers(for request: WriteRequest, timeNanoseconds: Int64?) -> [RecordHeader] {
        var headers: [RecordHeader] = []
        if !request.retentionPolicy.isEmpty { headers.append(RecordHeader(key: "rp", value: request.retentionPolicy)) }
        if request.precision != .nanoseconds {
            headers.append(RecordHeader(key: "precision", value: Array(request.precision.name.utf8)))
        }
        if let timeNanoseconds {
            // InfluxDB cuts the server's time to the precision of the request.
            let unit = request.precision.nanoseconds
            let time = timeNanoseconds / unit * unit
            headers.append(RecordHeader(key: "time", value: Array(String(time).utf8)))
        }
        return headers
    }

    /// Batches of at most `batchBytes` each with the records of a stream. The lines are copied once.
    static func compose(
        _ stream: LineStream, of request: UnsafeRawBufferPointer, headers: [RecordHeader], timeMilliseconds: Int64,
        batchBytes: Int
    ) -> RecordBatchSequence {
        let overhead = RecordBatchBuilder.sizeBound(keyBytes: 0, valueBytes: 0, headers: headers)
        let batchCount = stream.count / max(1, batchBytes - RecordBatchHeader.byteCount) + 1
        var batches = RecordBatchSequence(
            capacity: stream.count + stream.records.count * overhead + batchCount * RecordBatchHeader.byteCount)
        stream.withBytes(of: request) { bytes in
            for record in stream.records {
                if !batches.isBatchEmpty, batches.batchBytes + overhead + record.count > batchBytes {
                    batches.endBatch()
                }
                batches.append(
                    key: nil, value: UnsafeRawBufferPointer(rebasing: bytes[record]), headers: headers,
                    timestamp: timeMilliseconds)
            }
        }
        batches.endBatch()
        return batches
    }
}
