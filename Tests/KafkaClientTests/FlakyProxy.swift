import NIOCore
import NIOPosix
import Synchronization

/// Forwards TCP connections to a server and cuts each after a random number of bytes in a random direction, so that
/// sometimes a request is lost and sometimes only its answer.
final class FlakyProxy: Sendable {
    private struct Luck: Sendable {
        var seed: UInt64
        var isCutting = false
        var cuts = 0

        /// SplitMix64.
        mutating func next() -> UInt64 {
            seed &+= 0x9e37_79b9_7f4a_7c15
            var mixed = seed
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    private let luck: Mutex<Luck>
    private let listener: any Channel
    /// Where it listens.
    let port: Int
    /// Where it forwards to; set once, before the first connection.
    private let target = Mutex(0)

    private init(listener: any Channel, seed: UInt64) {
        self.listener = listener
        port = listener.localAddress?.port ?? 0
        luck = Mutex(Luck(seed: seed))
    }

    static func start(seed: UInt64) async throws -> FlakyProxy {
        let late = Mutex<FlakyProxy?>(nil)
        let holder = Holder(late)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in holder.proxy?.accept(channel) ?? channel.close() }
            .bind(host: "127.0.0.1", port: 0).get()
        let proxy = FlakyProxy(listener: listener, seed: seed)
        holder.proxy = proxy
        return proxy
    }

    /// How many connections were cut.
    var cuts: Int { luck.withLock { $0.cuts } }

    func forward(to port: Int) { target.withLock { $0 = port } }

    func cut(_ isCutting: Bool) { luck.withLock { $0.isCutting = isCutting } }

    func stop() async { try? await listener.close().get() }

    /// After how many bytes in one direction a connection is cut; nil for never.
    fileprivate func nextCut() -> Int? {
        luck.withLock { luck in luck.isCutting ? Int(luck.next() % 40_000) : nil }
    }

    fileprivate func countCut() { luck.withLock { $0.cuts += 1 } }

    private func accept(_ inbound: any Channel) -> EventLoopFuture<Void> {
        let port = target.withLock { $0 }
        return ClientBootstrap(group: inbound.eventLoop)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port)
            .flatMap { outbound in
                outbound.eventLoop.makeCompletedFuture {
                    try inbound.pipeline.syncOperations.addHandler(Pump(self, to: outbound))
                    try outbound.pipeline.syncOperations.addHandler(Pump(self, to: inbound))
                }.flatMap {
                    outbound.setOption(.autoRead, value: true).and(inbound.setOption(.autoRead, value: true))
                }.map { _ in }
            }
    }

    /// Sets a value after the closures that use it were made.
    private final class Holder: Sendable {
        private let value: Mutex<FlakyProxy?>

        init(_ value: consuming sending Mutex<FlakyProxy?>) { self.value = value }

        var proxy: FlakyProxy? {
            get { value.withLock { $0 } }
            set { value.withLock { $0 = newValue } }
        }
    }
}

/// Forwards one direction of a connection.
private final class Pump: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let proxy: FlakyProxy
    private let target: any Channel
    private var left: Int?

    init(_ proxy: FlakyProxy, to target: any Channel) {
        self.proxy = proxy
        self.target = target
        left = proxy.nextCut()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if let left, bytes.readableBytes > left {
            proxy.countCut()
            context.close(promise: nil)
            target.close(promise: nil)
            return
        }
        left = left.map { $0 - bytes.readableBytes }
        target.writeAndFlush(bytes, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { target.close(promise: nil) }
}
