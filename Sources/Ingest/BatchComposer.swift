import Bytes
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

    /// Appends batches of at most `batchBytes` each with the records of a stream.
    static func compose(
        _ stream: LineStream, of request: UnsafeRawBufferPointer, headers: [RecordHeader], timeMilliseconds: Int64,
        batchBytes: Int, into writer: inout ByteWriter
    ) throws(WireError) {
        var builder = RecordBatchBuilder(capacity: stream.count + 4_096)
        var failure: WireError?
        stream.withBytes(of: request) { bytes in
            for record in stream.records where failure == nil {
                let bound = RecordBatchBuilder.sizeBound(keyBytes: 0, valueBytes: record.count, headers: headers)
                if !builder.isEmpty, builder.sizeBytes + bound > batchBytes {
                    failure = finish(&builder, into: &writer)
                }
                builder.append(
                    borrowedKey: nil, borrowedValue: UnsafeRawBufferPointer(rebasing: bytes[record]), headers: headers,
                    timestamp: timeMilliseconds)
            }
        }
        failure = failure ?? finish(&builder, into: &writer)
        if let failure { throw failure }
    }

    private static func finish(_ builder: inout RecordBatchBuilder, into writer: inout ByteWriter) -> WireError? {
        do throws(WireError) {
            try builder.finish(into: &writer)
            builder.reset()
            return nil
        } catch {
            return error
        }
    }
}
