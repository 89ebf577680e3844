import Bytes
import KafkaWire
import NIOCore
import Testing

@testable import KafkaClient

@Suite struct InboxTests {
    private func batch(_ partition: Int32, offset: Int64, bytes: Int) -> ConsumedBatch {
        var header = RecordBatchHeader()
        header.baseOffset = offset
        let content = ByteBuffer(repeating: 0, count: bytes)
        return ConsumedBatch(header, content, of: TopicPartition("t", partition), ConsumerSettings())
    }

    /// What a reader finds, as text.
    private func text(_ found: Inbox.Found) -> String {
        switch found {
        case .item(.batch(let batch)): "\(batch.topicPartition)@\(batch.baseOffset)"
        case .item(.failure(let error)): "\(error.code)"
        case .over: "over"
        case .wait: "wait"
        }
    }

    @Test func countsBytesAndKeepsOrder() {
        var inbox = Inbox()
        for offset in Int64(0)..<200 { _ = inbox.append(.batch(batch(0, offset: offset, bytes: 10))) }
        #expect(inbox.bufferedBytes == 2_000)
        for offset in Int64(0)..<200 { #expect(text(inbox.take(isOver: false)) == "t-0@\(offset)") }
        #expect(inbox.bufferedBytes == 0)
        #expect(text(inbox.take(isOver: false)) == "wait")
        #expect(text(inbox.take(isOver: true)) == "over")
    }

    @Test func wakesWhoWaits() throws {
        var inbox = Inbox()
        guard case .wait(let waiter) = inbox.take(isOver: false) else { return #expect(Bool(false)) }
        let woken = inbox.append(.batch(batch(0, offset: 1, bytes: 1)))
        #expect(woken.map(ObjectIdentifier.init) == [ObjectIdentifier(waiter)])
        #expect(inbox.append(.batch(batch(0, offset: 2, bytes: 1))).isEmpty)
    }

    @Test func forgetsOnePartition() {
        var inbox = Inbox()
        for partition in [0, 1, 0, 1] as [Int32] { _ = inbox.append(.batch(batch(partition, offset: 5, bytes: 10))) }
        inbox.forget(TopicPartition("t", 0))
        #expect(inbox.bufferedBytes == 20)
        #expect(text(inbox.take(isOver: false)) == "t-1@5")
        #expect(text(inbox.take(isOver: false)) == "t-1@5")
        #expect(text(inbox.take(isOver: false)) == "wait")
    }

    @Test func anEndComesOnceBehindWhatIsThere() {
        var inbox = Inbox()
        _ = inbox.append(.batch(batch(0, offset: 1, bytes: 1)))
        _ = inbox.end(with: KafkaClientError(.closed, "closed"))
        #expect(inbox.end(with: KafkaClientError(.closed, "closed")).isEmpty)
        #expect((0..<3).map { _ in text(inbox.take(isOver: false)) } == ["t-0@1", "closed", "over"])
    }
}

@Suite struct AbortedTransactionsTests {
    private func batch(
        producer: Int64, offset: Int64, isTransactional: Bool = true, marker: UInt8? = nil
    ) -> ConsumedBatch {
        var builder = RecordBatchBuilder()
        builder.append(key: marker.map { [0, 0, 0, $0] }, value: [], timestamp: 0)
        var writer = ByteWriter()
        var template = RecordBatchHeader()
        template.producerId = producer
        template.producerEpoch = 0
        template.baseSequence = 0
        template.baseOffset = offset
        template.attributes = BatchAttributes(
            compression: .none, isTransactional: isTransactional, isControl: marker != nil)
        try? builder.finish(into: &writer, template: template)
        let bytes = writer.withUnsafeBytes { ByteBuffer(bytes: $0) }
        let header = bytes.withUnsafeReadableBytes { try? RecordBatchHeader(parsing: $0) }
        return ConsumedBatch(header ?? template, bytes, of: TopicPartition("t", 0), ConsumerSettings())
    }

    @Test func hidesWhatWasAbortedUpToItsMarker() {
        var aborted = AbortedTransactions()
        aborted.add([(producer: 7, firstOffset: 2), (producer: 8, firstOffset: 10)])
        let abort: UInt8 = 0
        let commit: UInt8 = 1
        let seen: [(ConsumedBatch, Bool)] = [
            (batch(producer: 7, offset: 0), false),
            (batch(producer: 7, offset: 2), true),
            (batch(producer: 9, offset: 3), false),
            (batch(producer: 9, offset: 4, marker: commit), true),
            (batch(producer: -1, offset: 5, isTransactional: false), false),
            (batch(producer: 7, offset: 6, marker: abort), true),
            (batch(producer: 7, offset: 7), false),
            (batch(producer: 8, offset: 10), true),
        ]
        for (batch, isHidden) in seen { #expect(aborted.hides(batch) == isHidden, "offset \(batch.baseOffset)") }
    }
}
