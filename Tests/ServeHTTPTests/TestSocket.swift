import NIOCore
import NIOPosix
import Synchronization

@testable import ServeHTTP

/// A client's connection, byte by byte.
final class TestSocket: Sendable {
    let channel: any Channel
    private let received: Received

    /// What came, and whether the end did.
    private final class Received: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        private let bytes = Mutex(ByteBuffer())
        let end: EventLoopPromise<String>

        init(end: EventLoopPromise<String>) {
            self.end = end
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var buffer = unwrapInboundIn(data)
            bytes.withLock { _ = $0.writeBuffer(&buffer) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            end.succeed(text)
        }

        var text: String { bytes.withLock { String(buffer: $0) } }
    }

    private init(channel: any Channel, received: Received) {
        self.channel = channel
        self.received = received
    }

    /// Connects. `isReading: false` never reads what comes.
    static func connect(to server: HTTPServer, isReading: Bool = true) async throws -> TestSocket {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let received = Received(end: loop.makePromise())
        let channel = try await ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: isReading)
            // Or the kernel would read megabytes for a client that reads nothing.
            .channelOption(.socketOption(.so_rcvbuf), value: 64 << 10)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(received) }
            }
            .connect(to: server.address).get()
        return TestSocket(channel: channel, received: received)
    }

    /// Sends, whether or not the server still takes it.
    func send(_ text: String) {
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    /// What came until now.
    var text: String { received.text }

    /// Waits until the server has closed, or fails after `seconds`.
    func end(withinSeconds seconds: Int64 = 10) async throws -> String {
        let late = channel.eventLoop.scheduleTask(in: .seconds(seconds)) { [received] in
            received.end.fail(ChannelError.connectTimeout(.seconds(seconds)))
        }
        defer { late.cancel() }
        return try await received.end.futureResult.get()
    }

    func close() async {
        try? await channel.close()
    }
}
