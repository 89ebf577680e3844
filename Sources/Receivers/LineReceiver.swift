public import Instruments
public import NIOCore
import NIOPosix

/// Takes line protocol in datagrams (InfluxDB's UDP service): gathers them for a moment and hands them on together.
public final class LineReceiver: Sendable {
    /// What it is told.
    public struct Settings: Sendable, Equatable {
        /// The address to listen on. Default 127.0.0.1.
        public var host = "127.0.0.1"
        /// The port; 0 takes a free one.
        public var port = 0
        /// The most bytes that are handed on together. Default 1 MiB.
        public var batchBytes = 1 << 20
        /// How long datagrams are gathered, in milliseconds. Default 1 s, as InfluxDB.
        public var batchMilliseconds: Int64 = 1_000
        /// The most bytes that wait; then the oldest datagrams go. Default 16 MiB.
        public var queueBytes = 16 << 20

        /// The defaults.
        public init() {}
    }

    /// What it counts. Made whether or not anything is received, so that the metrics are there.
    public struct Figures: Sendable {
        let datagrams: Counter
        let bytes: Counter
        private let instruments: InstrumentRegistry

        /// Figures in a registry.
        public init(_ instruments: InstrumentRegistry) {
            self.instruments = instruments
            datagrams = instruments.counter("millrace_udp_datagrams_total", help: "Datagrams that came.")
            bytes = instruments.counter("millrace_udp_bytes_total", help: "Bytes of datagrams that came.")
            _ = dropped("other")
        }

        func dropped(_ source: String) -> Counter {
            instruments.counter(
                "millrace_udp_dropped_total", help: "Datagrams that went unread because too many waited, by sender.",
                labels: [Label("source", source)])
        }
    }

    /// Where it listens.
    public let address: SocketAddress
    private let channel: any Channel
    private let writing: Task<Void, Never>

    private init(channel: any Channel, address: SocketAddress, writing: Task<Void, Never>) {
        self.channel = channel
        self.address = address
        self.writing = writing
    }

    /// Binds and begins to receive.
    ///
    /// - Parameter sink: takes lines, one call at a time; what comes meanwhile waits, up to the bound.
    /// - Throws: `IOError` if the address cannot be bound.
    public static func start(
        settings: Settings, figures: Figures, eventLoops: any EventLoopGroup,
        sink: @escaping @Sendable ([UInt8]) async -> Void
    ) async throws -> LineReceiver {
        let queue = DatagramQueue(maximumBytes: settings.queueBytes) { figures.dropped($0).add() }
        let handler = DatagramHandler(queue: queue, figures: figures)
        let channel = try await DatagramBootstrap(group: eventLoops)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 << 10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler) }
            }
            .bind(host: settings.host, port: settings.port).get()
        guard let address = channel.localAddress else { throw ChannelError.unknownLocalAddress }
        let writing = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(settings.batchMilliseconds))
                await drain(queue, settings, sink)
            }
            await drain(queue, settings, sink)
        }
        return LineReceiver(channel: channel, address: address, writing: writing)
    }

    private static func drain(
        _ queue: DatagramQueue, _ settings: Settings, _ sink: @Sendable ([UInt8]) async -> Void
    ) async {
        while queue.byteCount > 0 { await sink(queue.take(limit: settings.batchBytes)) }
    }

    /// Receives nothing any more, and hands on what came.
    public func stop() async {
        try? await channel.close()
        writing.cancel()
        await writing.value
    }
}

/// Puts datagrams into the queue.
private final class DatagramHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let queue: DatagramQueue
    private let figures: LineReceiver.Figures

    init(queue: DatagramQueue, figures: LineReceiver.Figures) {
        self.queue = queue
        self.figures = figures
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        figures.datagrams.add()
        figures.bytes.add(UInt64(envelope.data.readableBytes))
        guard envelope.data.readableBytes > 0 else { return }
        queue.add(
            .init(source: envelope.remoteAddress.ipAddress ?? "unknown", bytes: Array(envelope.data.readableBytesView)))
    }

    /// A datagram that could not be sent or received concerns nobody else.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
