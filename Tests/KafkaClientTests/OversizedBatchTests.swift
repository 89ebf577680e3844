import Bytes
import KafkaWire
import NIOCore
import Testing

@testable import KafkaClient

@Suite struct OversizedBatchTests {
    @Test(arguments: [
        ([1, 1, 1, 1], 2, [2, 2]), ([5, 1, 1], 5, [1, 2]), ([1, 5, 1], 5, [1, 1, 1]), ([3, 3], 3, [1, 1]),
        ([7], 7, [1]),
    ])
    func noPartExceedsTheTarget(_ sizes: [Int], _ target: Int, _ counts: [Int]) {
        #expect(OversizedBatch.counts(sizes, target) == counts)
    }

    @Test(arguments: [Compression.none, .zstd])
    func thePartsHoldTheSameRecords(_ compression: Compression) throws {
        let delivery = Delivery(topic: "t", count: 5, timestamps: .same(0))
        let open = OpenBatch(id: 3, lingerDeadline: 0, deliveryDeadline: 0, compression: compression)
        var records: [Record] = []
        for number: UInt8 in 0..<5 {
            let headers = [Record.Header("h", [number]), Record.Header("empty", nil)]
            records.append(Record(key: [number], value: Array(repeating: 7, count: 300), headers: headers))
        }
        records[2].key = nil
        records[3].value = nil
        for (index, record) in records.enumerated() {
            open.append(record, timestamp: Int64(1_000 - index), claimedBy: delivery, index: index)
        }
        let whole = try open.seal().get()
        let parts = try OversizedBatch(id: 3, bytes: whole).split(compression: compression, maximumBytes: 4_096).get()
        #expect(parts.map(\.recordCount) == [2, 2, 1])
        let read = try parts.flatMap { try self.records(of: $0.bytes) }
        #expect(read.map(\.key) == records.map(\.key))
        #expect(read.map(\.value) == records.map(\.value))
        #expect(read.map(\.headers) == records.map(\.headers))
        #expect(read.map(\.timestampMilliseconds) == [1_000, 999, 998, 997, 996])
        #expect(read.map(\.offset) == [0, 1, 0, 1, 0])
    }

    @Test func claimsAreCutWithTheirRecords() {
        let (a, b) = (
            Delivery(topic: "t", count: 9, timestamps: .same(0)), Delivery(topic: "t", count: 9, timestamps: .same(0))
        )
        let claims = [
            Claim(delivery: a, records: 4..<7, firstInBatch: 0), Claim(delivery: b, records: 0..<2, firstInBatch: 3),
        ]
        let first = Claim.cut(claims, to: 0..<2)
        #expect(first.map(\.records) == [4..<6])
        let rest = Claim.cut(claims, to: 2..<5)
        #expect(rest.map(\.records) == [6..<7, 0..<2])
        #expect(rest.map(\.firstInBatch) == [0, 1])
        #expect(rest.map { $0.delivery === a } == [true, false])
    }

    private func records(of bytes: ByteBuffer) throws -> [ConsumedRecord] {
        let header = try bytes.withUnsafeReadableBytes { try RecordBatchHeader(parsing: $0) }
        let batch = ConsumedBatch(header, bytes, of: TopicPartition("t", 0), ConsumerSettings())
        return try batch.records()
    }
}
