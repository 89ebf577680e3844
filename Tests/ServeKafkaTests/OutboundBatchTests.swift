import Testing

@testable import ServeKafka

@Suite struct OutboundBatchTests {
    private func response(byteCount: Int) -> Response {
        Response(
            stamp: RequestStamp(api: .metadata, version: 1, correlationID: 7),
            body: .bytes([UInt8](repeating: 1, count: byteCount)), readyAt: 0)
    }

    @Test func aConnectionDoesNotKeepTheMemoryOfItsLargestResponse() {
        var batch = OutboundBatch()
        batch.append(response(byteCount: 40_000))
        #expect(batch.byteCount == 40_008)
        batch.removeAll()
        let isEmpty = batch.isEmpty
        #expect(isEmpty)
        #expect(batch.capacity >= 40_000, "the next one may be as large")
        batch.rest()
        #expect(batch.capacity >= 40_000)
        batch.append(response(byteCount: 64))
        batch.removeAll()
        batch.rest()
        #expect(batch.capacity <= 8 << 10)
    }

    @Test func whatWaitsIsNotGivenBack() {
        var batch = OutboundBatch()
        batch.append(response(byteCount: 100))
        batch.rest()
        #expect(batch.byteCount == 108)
    }

    @Test func theMemoryOfSmallResponsesIsUsedAgain() {
        var batch = OutboundBatch()
        for _ in 0..<80 { batch.append(response(byteCount: 64)) }
        let capacity = batch.capacity
        batch.removeAll()
        #expect(batch.capacity == capacity)
    }
}
