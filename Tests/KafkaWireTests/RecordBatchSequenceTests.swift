import Bytes
import KafkaWire
import Testing

@Suite struct RecordBatchSequenceTests {
    private let headers = [RecordHeader(key: "rp", value: [1, 2]), RecordHeader(key: "none", value: nil)]

    /// The builder is checked against other clients' bytes.
    @Test(arguments: [0, 61, 10_000], [false, true])
    func composesWhatTheBuilderBuilds(capacity: Int, writesHeaders: Bool) throws {
        let headers = writesHeaders ? Array(headers.prefix(1)) : headers
        var written = ByteWriter()
        for header in headers where writesHeaders {
            Array(header.key.utf8).withUnsafeBytes { name in
                (header.value ?? []).withUnsafeBytes {
                    RecordBatchSequence.writeHeader(name: name, value: $0, into: &written)
                }
            }
        }
        var sequence = RecordBatchSequence(capacity: capacity)
        var builder = RecordBatchBuilder()
        var expected = ByteWriter()
        for batch in 0..<3 {
            #expect(sequence.isBatchEmpty && sequence.batchBytes == RecordBatchHeader.byteCount)
            for record in 0...batch {
                let value = [UInt8](repeating: UInt8(record), count: 200 * record + 1)
                let time = Int64(1_700_000_000_000 + 70 * record - 100 * batch)
                value.withUnsafeBytes { value in
                    let (key, body) = (record == 1 ? value : nil, record == 2 ? nil : value)
                    if writesHeaders {
                        written.withUnsafeBytes {
                            sequence.append(
                                key: key, value: body, writtenHeaders: $0, headerCount: headers.count, timestamp: time)
                        }
                    } else {
                        sequence.append(key: key, value: body, headers: headers, timestamp: time)
                    }
                }
                builder.append(
                    key: record == 1 ? value : nil, value: record == 2 ? nil : value, headers: headers, timestamp: time)
                #expect(sequence.batchBytes == builder.sizeBytes)
            }
            try builder.finish(into: &expected)
            builder.reset()
            sequence.endBatch()
        }
        sequence.endBatch()
        let bytes = expected.array()
        #expect(sequence.withUnsafeMutableBytes { $0.elementsEqual(bytes) })
        // A batch that is not ended is not told.
        sequence.append(key: nil, value: nil, headers: [], timestamp: 1)
        #expect(sequence.withUnsafeMutableBytes { $0.elementsEqual(bytes) })
    }
}
