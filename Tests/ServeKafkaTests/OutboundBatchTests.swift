import Bytes
import Testing

@testable import ServeKafka

@Suite struct OutboundBatchTests {
    private func response(byteCount: Int) -> Response {
        Response(
            stamp: RequestStamp(api: .metadata, version: 1, correlationID: 7),
            body: .bytes([UInt8](repeating: 1, count: byteCount)), readyAt: 0)
    }

    @Test func aConnectionDoesNotKeepTheMemoryOfItsLargestResponse() {
        var shared = ByteWriter(capacity: 1_024)
        var batch = OutboundBatch()
        batch.append(response(byteCount: 40_000), sharing: &shared)
        #expect(batch.byteCount == 40_008)
        batch.removeAll(sharing: &shared)
        let isEmpty = batch.isEmpty
        #expect(isEmpty)
        #expect(batch.capacity <= 64)
        #expect(shared.capacity >= 40_000, "the next one may be as large")
        #expect(shared.count == 0)
        batch.append(response(byteCount: 1_000_000), sharing: &shared)
        batch.removeAll(sharing: &shared)
        #expect(shared.capacity <= 256 << 10)
    }

    @Test func whoHoldsItsBatchLongerKeepsItsBytesToItself() {
        var shared = ByteWriter(capacity: 1_024)
        var first = OutboundBatch()
        var second = OutboundBatch()
        first.append(response(byteCount: 100), sharing: &shared)
        second.append(response(byteCount: 200), sharing: &shared)
        first.append(response(byteCount: 50), sharing: &shared)
        #expect(shared.count == 0)
        #expect(first.byteCount == 166)
        #expect(second.byteCount == 208)
        first.removeAll(sharing: &shared)
        #expect(second.byteCount == 208 && shared.count == 0)
        second.removeAll(sharing: &shared)
        #expect(shared.count == 0 && first.capacity < 2_048 && second.capacity < 2_048)
    }

    @Test func theBufferIsUsedAgain() {
        var shared = ByteWriter(capacity: 16)
        var batch = OutboundBatch()
        for _ in 0..<80 { batch.append(response(byteCount: 64), sharing: &shared) }
        let capacity = batch.capacity
        batch.removeAll(sharing: &shared)
        #expect(shared.capacity == capacity)
    }
}
