import Instruments
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Listening

/// How it ends the real condition is tested with a real server in `Tests/Peers/test_descriptors.py`.
@Suite struct AcceptPauseTests {
    private static let tooManyOpenFiles: CInt = 24

    @Test func aFailedAcceptPausesIsCountedAndTellsTheLimitToRaise() async throws {
        let (registry, lines) = (InstrumentRegistry(), Lines())
        let logger = Logger(label: "test") { _ in CapturingHandler(lines: lines) }
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptPause(listener: "test", instruments: registry, logger: logger))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let failure = IOError(errnoCode: Self.tooManyOpenFiles, reason: "accept")
        for _ in 0..<3 { listener.pipeline.fireErrorCaught(failure) }
        #expect(try await listener.getOption(.autoRead).get() == false)
        #expect(registry.render().contains("millrace_accept_failures_total{listener=\"test\"} 3\n"))
        let logged = lines.all.withLock { $0 }
        #expect(logged.count == 1)
        #expect(logged.first?.contains("LimitNOFILE") == true)
        for _ in 0..<500 where try await !listener.getOption(.autoRead).get() {
            try await Task.sleep(nanoseconds: 10_000_000)
        }
        #expect(try await listener.getOption(.autoRead).get())
        try await listener.close()
    }

    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private struct CapturingHandler: LogHandler {
        let lines: Lines
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.all.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
        }
    }
}
