import Bytes
import KafkaWire
import Testing

/// A batch that kafka-python 3.0 built: producer 4711, epoch 3, sequence 17, three records.
let pythonBatch = hex(
    """
    0000000000000000 0000005e 00000000 02 7bbb6947 0000 00000002 0000018bcfe56800 0000018bcfe56805
    0000000000001267 0003 00000011 00000003
    30 00 00 00 06 6b6579 0a 76616c7565 04 04 6831 04 7631 04 6832 01
    18 00 0a 02 01 0c 7365636f6e64 00
    0c 00 01 04 00 01 00
    """)

/// One whose records are gzip, as kafka-python 3.0 built it.
let pythonGzipBatch = hex(
    "000000000000000000000066000000000231a532d90001000000020000018bcfe568000000018bcfe56802ffffffffffffffffffffffffff"
        + "ff000000031f8b080084fe006b02ff6b6162606060cb4eadfcc0589698539aaa407f92a18589818969e0ddc0c232c06e000019c0f89b"
        + "8c010000")

/// Calls `body` with the first batch in `bytes`.
func withBatch<R>(_ bytes: [UInt8], _ body: (RecordBatch) throws -> R) throws -> R {
    try bytes.withUnsafeBytes { bytes in
        var batches = RecordBatches(bytes)
        return try body(try #require(try batches.next()))
    }
}

/// A record with copies of its bytes.
struct CopiedRecord: Equatable {
    var offset: Int64
    var timestamp: Int64
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [RecordHeader] = []
}

/// The records of the first batch in `bytes`.
func records(_ bytes: [UInt8], decompressionLimit: Int = 1 << 20) throws -> [CopiedRecord] {
    try withBatch(bytes) { batch in
        var iterator = try RecordIterator(batch, decompressionLimit: decompressionLimit)
        var records: [CopiedRecord] = []
        while let record = try iterator.next() {
            records.append(
                CopiedRecord(
                    offset: record.offset, timestamp: record.timestamp, key: record.key.map(Array.init),
                    value: record.value.map(Array.init), headers: record.headers))
        }
        return records
    }
}

/// A batch of `count` small records.
func sampleBatch(
    _ count: Int, _ compression: Compression = .none, template: RecordBatchHeader = RecordBatchHeader()
) throws -> [UInt8] {
    var builder = RecordBatchBuilder()
    for index in 0..<count {
        builder.append(
            key: [UInt8(truncatingIfNeeded: index)], value: [UInt8]("the value of a record".utf8),
            timestamp: 1_700_000_000_000 + Int64(index))
    }
    var writer = ByteWriter()
    try builder.finish(into: &writer, compression: compression, template: template)
    return writer.array()
}

struct RecordBatchTests {
    @Test func theHeaderOfAnotherClientsBatch() throws {
        let header = try pythonBatch.withUnsafeBytes { try RecordBatchHeader(parsing: $0) }
        var expected = RecordBatchHeader()
        expected.batchLength = 0x5E
        expected.partitionLeaderEpoch = 0
        expected.crc = 0x7BBB_6947
        expected.lastOffsetDelta = 2
        expected.baseTimestamp = 1_700_000_000_000
        expected.maxTimestamp = 1_700_000_000_005
        expected.producerId = 4711
        expected.producerEpoch = 3
        expected.baseSequence = 17
        expected.recordCount = 3
        #expect(header == expected)
        #expect(header.sizeBytes == pythonBatch.count)
        #expect(header.lastSequence == 19)
        #expect(header.lastOffset == 2)
        #expect(header.nextOffset == 3)
    }

    @Test func theRecordsOfAnotherClientsBatch() throws {
        #expect(
            try records(pythonBatch) == [
                CopiedRecord(
                    offset: 0, timestamp: 1_700_000_000_000, key: Array("key".utf8), value: Array("value".utf8),
                    headers: [
                        RecordHeader(key: "h1", value: Array("v1".utf8)), RecordHeader(key: "h2", value: nil),
                    ]),
                CopiedRecord(offset: 1, timestamp: 1_700_000_000_005, key: nil, value: Array("second".utf8)),
                CopiedRecord(offset: 2, timestamp: 1_699_999_999_999, key: [], value: nil),
            ])
        let compressed = try records(pythonGzipBatch)
        #expect(compressed.count == 3)
        #expect(compressed.map(\.value?.count) == [120, 120, 120])
    }

    @Test func theBuilderWritesTheSameBytes() throws {
        var builder = RecordBatchBuilder()
        let headers = [RecordHeader(key: "h1", value: Array("v1".utf8)), RecordHeader(key: "h2", value: nil)]
        builder.append(
            key: Array("key".utf8), value: Array("value".utf8), headers: headers, timestamp: 1_700_000_000_000)
        builder.append(key: nil, value: Array("second".utf8), timestamp: 1_700_000_000_005)
        builder.append(key: [], value: nil, timestamp: 1_699_999_999_999)
        let sizeBytes = builder.sizeBytes
        #expect(sizeBytes == pythonBatch.count)
        var template = RecordBatchHeader()
        template.partitionLeaderEpoch = 0
        template.producerId = 4711
        template.producerEpoch = 3
        template.baseSequence = 17
        var writer = ByteWriter()
        try builder.finish(into: &writer, template: template)
        #expect(writer.array() == pythonBatch)
    }

    @Test(arguments: Compression.allCases)
    func batchesComeBackAndPassTheChecks(_ codec: Compression) throws {
        let bytes = try sampleBatch(500, codec)
        try withBatch(bytes) { batch in
            #expect(batch.header.attributes.compression == codec)
            try batch.validateProduced(ProduceRules())
            let summary = try batch.verifyRecords(decompressionLimit: 1 << 20)
            #expect(summary.count == 500)
            #expect(summary.contentBytes == 500 * 22)
            #expect(summary.maxTimestamp == 1_700_000_000_499)
        }
        #expect(try records(bytes).map(\.offset) == Array(0..<500))
    }

    @Test func recordsThatDoNotShrinkStayUncompressed() throws {
        let bytes = try sampleBatch(1, .gzip)
        try withBatch(bytes) { #expect($0.header.attributes.compression == Compression.none) }
    }

    @Test func aBuilderCanBeUsedAgain() throws {
        var builder = RecordBatchBuilder(capacity: 16)
        builder.append(key: nil, value: [UInt8](repeating: 1, count: 1000), timestamp: 5)
        builder.reset()
        let (isEmpty, sizeBytes) = (builder.isEmpty, builder.sizeBytes)
        #expect(isEmpty)
        #expect(sizeBytes == RecordBatchHeader.byteCount)
        builder.append(key: nil, value: [2], timestamp: 9)
        let firstTimestamp = builder.firstTimestamp
        #expect(firstTimestamp == 9)
        var writer = ByteWriter()
        writer.write(Int32(77))
        try builder.finish(into: &writer)
        let bytes = Array(writer.array().dropFirst(4))
        #expect(try records(bytes) == [CopiedRecord(offset: 0, timestamp: 9, key: nil, value: [2])])
    }

    @Test func theSizeBoundHolds() {
        var source = RandomSource(seed: 3)
        for _ in 0..<500 {
            var builder = RecordBatchBuilder()
            builder.append(key: nil, value: nil, timestamp: 0)
            let before = builder.sizeBytes
            let (key, value) = (source.bytes(), source.bytes())
            let headers = source.array { RecordHeader(key: $0.string(), value: $0.bytes()) }
            builder.append(key: key, value: value, headers: headers, timestamp: source.integer())
            let bound = RecordBatchBuilder.sizeBound(
                keyBytes: key.count, valueBytes: value.count, headers: headers)
            let added = builder.sizeBytes - before
            #expect(added <= bound)
        }
    }

    @Test func patchingOffsetAndEpochLeavesTheChecksumValid() throws {
        var bytes = pythonBatch
        bytes.withUnsafeMutableBytes {
            RecordBatchHeader.assign(baseOffset: 1_000_000_000_000, partitionLeaderEpoch: 9, in: $0)
        }
        try withBatch(bytes) { batch in
            #expect(batch.header.baseOffset == 1_000_000_000_000)
            #expect(batch.header.partitionLeaderEpoch == 9)
            #expect(batch.header.crc == 0x7BBB_6947)
            _ = try batch.verifyRecords(decompressionLimit: 0)
        }
        #expect(try records(bytes).map(\.offset) == [1_000_000_000_000, 1_000_000_000_001, 1_000_000_000_002])
    }

    @Test func logAppendTimeIsThatOfEveryRecord() throws {
        var bytes = pythonBatch
        bytes.withUnsafeMutableBytes { RecordBatchHeader.assign(logAppendTime: 1_800_000_000_000, in: $0) }
        try withBatch(bytes) { batch in
            #expect(batch.header.attributes.isLogAppendTime)
            #expect(batch.header.maxTimestamp == 1_800_000_000_000)
            _ = try batch.verifyRecords(decompressionLimit: 0)
        }
        #expect(try Set(records(bytes).map(\.timestamp)) == [1_800_000_000_000])
    }

    @Test func aProducerCanBeAssignedLater() throws {
        var bytes = try sampleBatch(3)
        bytes.withUnsafeMutableBytes {
            RecordBatchHeader.assign(producerId: 5, producerEpoch: 1, baseSequence: .max - 1, in: $0)
        }
        try withBatch(bytes) { batch in
            try batch.validateProduced(ProduceRules())
            #expect(batch.header.producerId == 5)
            #expect(batch.header.lastSequence == 0)
        }
    }

    @Test func severalBatchesFollowEachOther() throws {
        let bytes = pythonBatch + pythonGzipBatch + pythonBatch
        try bytes.withUnsafeBytes { bytes in
            var batches = RecordBatches(bytes)
            var counts: [Int] = []
            while let batch = try batches.next() { counts.append(batch.bytes.count) }
            #expect(counts == [pythonBatch.count, pythonGzipBatch.count, pythonBatch.count])
            let produced = try ProducedRecords(validating: bytes, ProduceRules())
            #expect(produced.batchCount == 3)
            #expect(produced.recordCount == 9)
        }
    }

    @Test func aPartialTailIsAnErrorUnlessAllowed() throws {
        let whole = pythonBatch + pythonBatch
        for count in pythonBatch.count + 1..<whole.count {
            try Array(whole[..<count]).withUnsafeBytes { bytes in
                var tolerant = RecordBatches(bytes, allowsPartialTail: true)
                let first = try tolerant.next()
                let second = try tolerant.next()
                #expect(first != nil)
                #expect(second == nil)
                #expect(tolerant.position == pythonBatch.count)
                var strict = RecordBatches(bytes)
                _ = try strict.next()
                #expect(throws: WireError.self) { try strict.next() }
            }
        }
    }
}
