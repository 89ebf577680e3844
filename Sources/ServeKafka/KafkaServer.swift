public import Groups
public import Instruments
import Listening
public import Log
public import Logging
public import Machine
public import NIOCore
import NIOPosix
import Synchronization

/// The Kafka listener of one commit log.
public final class KafkaServer: Sendable {
    /// The address that it listens on; the port is the real one if 0 was asked for.
    public let address: SocketAddress
    private let listener: any Channel
    private let broker: Broker
    private let mailboxes: [LoopMailbox]
    private let open: ConnectionCount

    private init(
        address: SocketAddress, listener: any Channel, broker: Broker, mailboxes: [LoopMailbox], open: ConnectionCount
    ) {
        self.address = address
        self.listener = listener
        self.broker = broker
        self.mailboxes = mailboxes
        self.open = open
    }

    /// Binds and starts to serve.
    ///
    /// - Parameter configuration: the configs of the broker for whoever describes or changes them; nil: none.
    /// - Throws: `IOError` if the address cannot be bound.
    public static func start(
        settings: KafkaServerSettings, log: CommitLog, groups: GroupCoordinator,
        configuration: (any BrokerConfiguration)? = nil, instruments: InstrumentRegistry, machine: Machine,
        eventLoops: any EventLoopGroup, logger: Logger
    ) async throws -> KafkaServer {
        let broker = Broker(
            log: log, groups: groups, settings: settings, configuration: configuration, registry: instruments,
            clock: machine.clock, randomness: machine.randomness, logger: logger)
        broker.administration.start()
        instruments.addCollector { writer in broker.writeBounds(&writer) }
        let mailboxes = eventLoops.makeIterator().map(LoopMailbox.init)
        for mailbox in mailboxes {
            try await mailbox.eventLoop.submit {
                mailbox.owner.value = BrokerLoop(broker: broker, mailbox: mailbox)
            }.get()
        }
        let open = ConnectionCount(broker.live)
        let listener = try await bind(settings, eventLoops, broker, mailboxes, open)
        guard let address = listener.localAddress else { throw ChannelError.unknownLocalAddress }
        return KafkaServer(address: address, listener: listener, broker: broker, mailboxes: mailboxes, open: open)
    }

    /// Takes other settings while it serves: whether topics are created, with how many partitions, and how many
    /// connections there may be, beyond which those that are open stay. All others are as they were at the start.
    public func change(_ settings: KafkaServerSettings) { broker.live.change(settings) }

    /// Accepts no more connections and takes no more requests, answers those that were taken, and closes; what has not
    /// drained after `milliseconds` is closed as it is.
    public func stop(within milliseconds: Int64) async {
        try? await listener.close().get()
        await onEveryLoop { $0.drainConnections() }
        let deadline = broker.clock.monotonicNanoseconds() + UInt64(max(0, milliseconds)) * 1_000_000
        while open.count > 0, broker.clock.monotonicNanoseconds() < deadline {
            try? await Task.sleep(nanoseconds: 2_000_000)
        }
        await onEveryLoop { $0.closeConnections() }
        try? await broker.administration.shutdownGracefully()
    }

    private func onEveryLoop(_ work: @escaping @Sendable (BrokerLoop) -> Void) async {
        for mailbox in mailboxes {
            try? await mailbox.eventLoop.submit { mailbox.owner.value.map(work) }.get()
        }
    }

    private static func bind(
        _ settings: KafkaServerSettings, _ eventLoops: any EventLoopGroup, _ broker: Broker, _ mailboxes: [LoopMailbox],
        _ open: ConnectionCount
    ) async throws -> any Channel {
        let byLoop = Dictionary(uniqueKeysWithValues: mailboxes.map { (ObjectIdentifier($0.eventLoop), $0) })
        return try await ServerBootstrap(group: eventLoops)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptPause(
                            listener: "kafka", instruments: broker.instruments.registry, logger: broker.logger))
                }
            }
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // One read per cycle: a connection whose reading is paused holds one receive buffer, not several.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 4 << 10, initial: 16 << 10, maximum: 1 << 20)
            )
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
            .childChannelInitializer { channel in
                broker.instruments.accepted.add()
                guard let mailbox = byLoop[ObjectIdentifier(channel.eventLoop)], let loop = mailbox.owner.value else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
                }
                guard let id = open.admit() else {
                    let remote = channel.remoteAddress?.description ?? "unknown"
                    loop.report(.tooManyConnections, "\(broker.live.maximumConnections) are open", remote: remote)
                    return channel.close()
                }
                channel.closeFuture.whenComplete { _ in open.release() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(KafkaConnection(id: id, loop: loop))
                }
            }
            .bind(host: settings.host, port: settings.port).get()
    }
}

/// How many connections are open, over all event loops, and the number of the next one.
private final class ConnectionCount: Sendable {
    private let live: LiveKafkaSettings
    private let state = Mutex((open: 0, next: UInt64(0)))

    init(_ live: LiveKafkaSettings) {
        self.live = live
    }

    var count: Int { state.withLock { $0.open } }

    /// A new connection's number, or nil if there are as many as allowed.
    func admit() -> ConnectionID? {
        state.withLock { state in
            guard state.open < live.maximumConnections else { return nil }
            state.open += 1
            state.next += 1
            return ConnectionID(number: state.next)
        }
    }

    func release() {
        state.withLock { $0.open -= 1 }
    }
}
