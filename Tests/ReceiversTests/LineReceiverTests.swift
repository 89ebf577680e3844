import Instruments
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Receivers

@Suite struct LineReceiverTests {
    @Test func theOldestGoFirstAndEachIsCounted() {
        let gone = Mutex<[String]>([])
        let queue = DatagramQueue(maximumBytes: 10) { source in gone.withLock { $0.append(source) } }
        for (source, text) in [("a", "aaaa"), ("b", "bbbb"), ("c", "cccc\n"), ("d", "dd")] {
            queue.add(.init(source: source, bytes: Array(text.utf8)))
        }
        #expect(gone.withLock { $0 } == ["a", "b"])
        #expect(queue.byteCount == 7)
        #expect(String(decoding: queue.take(limit: 3), as: UTF8.self) == "cccc\n")
        #expect(String(decoding: queue.take(limit: 3), as: UTF8.self) == "dd\n")
        #expect(queue.take(limit: 3).isEmpty && queue.byteCount == 0)
        for index in 0..<5_000 { queue.add(.init(source: "\(index)", bytes: [1, 2, 3, 4, 5, 6])) }
        #expect(gone.withLock { $0.count } == 2 + 4_999)
        #expect(queue.take(limit: 100) == [1, 2, 3, 4, 5, 6, 10])
    }

    @Test func datagramsAreHandedOnTogether() async throws {
        let instruments = InstrumentRegistry()
        var settings = LineReceiver.Settings()
        settings.batchMilliseconds = 50
        let (batches, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        let receiver = try await LineReceiver.start(
            settings: settings, figures: .init(instruments), eventLoops: MultiThreadedEventLoopGroup.singleton
        ) { continuation.yield($0) }
        let client = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        for index in 0..<20 {
            let text = ByteBuffer(string: "cpu v=\(index) \(index)")
            try await client.writeAndFlush(AddressedEnvelope(remoteAddress: receiver.address, data: text))
        }
        var lines: [Substring] = []
        for await batch in batches {
            lines += String(decoding: batch, as: UTF8.self).split(separator: "\n")
            if lines.count >= 20 { break }
        }
        #expect(lines.sorted() == (0..<20).map { "cpu v=\($0) \($0)" }.sorted())
        try await client.close()
        await receiver.stop()
        #expect(instruments.render().contains("millrace_udp_datagrams_total 20"))
    }
}
