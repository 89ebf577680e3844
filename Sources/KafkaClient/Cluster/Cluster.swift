import KafkaWire
import Logging
import NIOCore
import NIOPosix

/// Connections and knowledge of one cluster. Belongs to one event loop, on which all its connections live too: every
/// call comes from there, and nothing needs a lock.
final class Cluster {
    /// Which broker a request is for.
    enum Target: Sendable, Hashable {
        /// Whichever is connected, or answers first.
        case any
        /// The one that administers topics.
        case controller
        /// This one.
        case node(Int32)
    }

    /// A broker by number, or an address that was given to begin with.
    enum BrokerKey: Hashable {
        case node(Int32)
        case bootstrap(Int)
    }

    typealias ConnectionTaker = (Result<BrokerConnection, KafkaClientError>) -> Void

    enum Link {
        case idle
        case connecting([ConnectionTaker])
        case ready(BrokerConnection)
    }

    struct Broker {
        var address: BrokerAddress
        var link = Link.idle
        var backoff: Backoff
        var notBefore: Int64 = 0
    }

    let settings: ClientSettings
    let loop: any EventLoop
    let logger: Logger
    var metadata: MetadataState
    var brokers: [BrokerKey: Broker] = [:]
    var isClosed = false
    /// Where the search for any broker goes on.
    var rotation = 0
    let bootstrap: [BrokerAddress]
    /// Told after every change of metadata; the key is the listener's own number.
    var listeners: [Int: () -> Void] = [:]
    var nextListener = 0
    var wanted = MetadataWish()
    var asking: MetadataWish?

    init(settings: ClientSettings, bootstrap: [BrokerAddress], loop: any EventLoop, logger: Logger) {
        self.settings = settings
        self.bootstrap = bootstrap
        self.loop = loop
        self.logger = logger
        metadata = MetadataState(maximumAgeMilliseconds: settings.metadataMaximumAgeMilliseconds)
        for (index, address) in bootstrap.enumerated() { brokers[.bootstrap(index)] = broker(at: address) }
    }

    /// Calls back with a connection that is ready; opens one if there is none.
    func connection(to target: Target, _ take: @escaping ConnectionTaker) {
        guard !isClosed else { return take(.failure(KafkaClientError(.closed, "the client is closed"))) }
        switch target {
        case .node(let id):
            guard brokers[.node(id)] != nil else {
                return take(.failure(KafkaClientError(.connection, "broker \(id) is not known")))
            }
            link(to: .node(id), take)
        case .controller:
            if let id = metadata.controller, brokers[.node(id)] != nil { return link(to: .node(id), take) }
            connection(to: .any, take)
        case .any:
            if let ready = leastBusy() { return take(.success(ready)) }
            tryNext(of: candidates(), failures: [], take)
        }
    }

    /// The connection to a broker, if it is ready now.
    func ready(_ node: Int32) -> BrokerConnection? {
        if case .ready(let connection)? = brokers[.node(node)]?.link { connection } else { nil }
    }

    /// The brokers whose connection is ready now.
    var connectedNodes: Set<Int32> {
        var nodes: Set<Int32> = []
        for (key, broker) in brokers {
            if case .node(let id) = key, case .ready = broker.link { nodes.insert(id) }
        }
        return nodes
    }

    /// Ends every connection. Whatever waits fails with `.closed`.
    func close() {
        isClosed = true
        let error = KafkaClientError(.closed, "the client is closed")
        for key in brokers.keys {
            guard let link = brokers[key]?.link else { continue }
            brokers[key]?.link = .idle
            switch link {
            case .idle: break
            case .ready(let connection): connection.close(error)
            case .connecting(let takers): for take in takers { take(.failure(error)) }
            }
        }
        failMetadataWishes(error)
        let told = listeners.values
        listeners = [:]
        for listener in told { listener() }
    }

    /// Registers for changes of metadata; returns the number under which to unregister.
    func listen(_ listener: @escaping () -> Void) -> Int {
        nextListener += 1
        listeners[nextListener] = listener
        return nextListener
    }

    /// Takes over the brokers that metadata tells.
    func learnBrokers() {
        for (id, address) in metadata.brokers where brokers[.node(id)]?.address != address {
            if case .ready(let connection)? = brokers[.node(id)]?.link {
                connection.close(KafkaClientError(.connection, "broker \(id) moved to \(address)"))
            }
            var moved = broker(at: address)
            if case .connecting(let takers)? = brokers[.node(id)]?.link { moved.link = .connecting(takers) }
            brokers[.node(id)] = moved
        }
    }

    private func broker(at address: BrokerAddress) -> Broker {
        Broker(
            address: address,
            backoff: Backoff(
                firstMilliseconds: settings.reconnectBackoffMilliseconds.lowerBound,
                mostMilliseconds: settings.reconnectBackoffMilliseconds.upperBound))
    }

    private func leastBusy() -> BrokerConnection? {
        brokers.values.lazy.compactMap { broker -> BrokerConnection? in
            if case .ready(let connection) = broker.link { connection } else { nil }
        }.min { $0.pendingCount < $1.pendingCount }
    }

    /// Every broker once, each time beginning with another, the ones that failed last at the end.
    private func candidates() -> [BrokerKey] {
        let now = Time.monotonicMilliseconds()
        let nodes = metadata.brokers.keys.sorted().map(BrokerKey.node)
        let all = nodes + bootstrap.indices.map(BrokerKey.bootstrap)
        rotation += 1
        let turned = all.indices.map { all[($0 + rotation) % all.count] }
        return turned.filter { (brokers[$0]?.notBefore ?? 0) <= now }
            + turned.filter { (brokers[$0]?.notBefore ?? 0) > now }
    }

    private func tryNext(of keys: [BrokerKey], failures: [String], _ take: @escaping ConnectionTaker) {
        guard let key = keys.first, brokers[key] != nil else {
            let reasons = failures.isEmpty ? "no broker is known" : failures.joined(separator: "; ")
            return take(.failure(KafkaClientError(.connection, "no broker can be reached: \(reasons)")))
        }
        link(to: key) { [self] result in
            switch result {
            case .success: take(result)
            case .failure(let error) where error.code == .closed: take(result)
            case .failure(let error):
                tryNext(of: Array(keys.dropFirst()), failures: failures + ["\(error)"], take)
            }
        }
    }
}

extension Cluster {
    private func link(to key: BrokerKey, _ take: @escaping ConnectionTaker) {
        guard let broker = brokers[key] else {
            return take(.failure(KafkaClientError(.connection, "the broker is not known any more")))
        }
        switch broker.link {
        case .ready(let connection): take(.success(connection))
        case .connecting(let takers):
            guard takers.count < settings.maximumRequestsPerConnection else {
                return take(.failure(KafkaClientError(.bufferFull, "too many requests wait for \(broker.address)")))
            }
            brokers[key]?.link = .connecting(takers + [take])
        case .idle:
            brokers[key]?.link = .connecting([take])
            let wait = broker.notBefore - Time.monotonicMilliseconds()
            guard wait > 0 else { return open(key) }
            let bound = NIOLoopBound(self, eventLoop: loop)
            loop.scheduleTask(in: .milliseconds(wait)) { bound.value.open(key) }
        }
    }

    private func open(_ key: BrokerKey) {
        guard !isClosed, let address = brokers[key]?.address else { return }
        logger.debug("connecting", metadata: ["broker": "\(address)"])
        let opening = BrokerConnection(address: address, settings: settings, logger: logger) { [weak self] result in
            self?.opened(key, address: address, result)
        }
        let handler = NIOLoopBound(opening, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(.milliseconds(settings.connectTimeoutMilliseconds))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            // Up to 1 MiB per read: a large answer then takes few system calls, a small one still a small buffer.
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 4_096, initial: 65_536, maximum: 1 << 20)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
            .connect(host: address.host, port: address.port)
            .hop(to: loop)
            .whenFailure { error in
                let why = (error as? NIOConnectionError)?.reason ?? "\(error)"
                handler.value.close(KafkaClientError(.connection, "cannot connect to \(address): \(why)"))
            }
    }

    /// The attempt to open a connection ended, either way.
    private func opened(
        _ key: BrokerKey, address: BrokerAddress, _ result: Result<BrokerConnection, KafkaClientError>
    ) {
        guard case .connecting(let takers)? = brokers[key]?.link else {
            if case .success(let connection) = result {
                connection.close(KafkaClientError(.closed, "the client is closed"))
            }
            return
        }
        switch result {
        case .success(let connection):
            brokers[key]?.backoff.succeeded()
            brokers[key]?.link = .ready(connection)
            connection.closed = { [weak self, weak connection] error in self?.lost(key, connection, error) }
        case .failure(let error):
            brokers[key]?.link = .idle
            delay(key)
            logger.debug("cannot connect", metadata: ["broker": "\(address)", "reason": "\(error)"])
        }
        for take in takers { take(result) }
    }

    private func lost(_ key: BrokerKey, _ connection: BrokerConnection?, _ error: KafkaClientError) {
        guard case .ready(let current)? = brokers[key]?.link, current === connection else { return }
        brokers[key]?.link = .idle
        delay(key)
    }

    private func delay(_ key: BrokerKey) {
        let wait = brokers[key]?.backoff.failed(random: .random(in: 0 ... .max)) ?? 0
        brokers[key]?.notBefore = Time.monotonicMilliseconds() + wait
    }
}

extension NIOConnectionError {
    /// What each address answered, in a few words.
    fileprivate var reason: String {
        if connectionErrors.isEmpty { return "the name \(host) cannot be resolved" }
        let reasons = connectionErrors.map { failure -> String in
            switch failure.error {
            case let error as IOError: Self.reasons[error.errnoCode] ?? "\(error)"
            case ChannelError.connectTimeout(let patience): "no answer within \(patience.nanoseconds / 1_000_000) ms"
            default: "\(failure.error)"
            }
        }
        return Set(reasons).sorted().joined(separator: ", ")
    }

    /// Linux's numbers for what happens most.
    private static let reasons: [CInt: String] = [
        101: "network unreachable", 110: "no answer", 111: "connection refused", 113: "no route to the host",
    ]
}
