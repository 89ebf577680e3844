import Bytes
import KafkaWire
import NIOCore
import NIOPosix

/// A raw connection that speaks frames: it sends what it is told, sound or not, and reads what comes back.
struct WireClient {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received = ByteBuffer()
    private var nextCorrelationID: Int32 = 1

    /// What a test did not expect of the peer.
    struct Surprise: Error, CustomStringConvertible {
        let description: String
    }

    /// Connects, runs `body`, and closes.
    static func with<Result>(
        _ address: SocketAddress, _ body: (inout WireClient) async throws -> Result
    ) async throws -> Result {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 256 << 10))
            .connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(
                            backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2),
                            isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var client = WireClient(channel: channel, inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await body(&client)
        }
    }

    var localPort: Int { channel.channel.localAddress?.port ?? 0 }

    /// Sends a request and returns its correlation id.
    @discardableResult
    mutating func send<Request: KafkaRequest>(_ request: Request, version: Int16) async throws -> Int32 {
        var writer = ByteWriter()
        nextCorrelationID += 1
        request.encodeFrame(into: &writer, version: version, correlationId: nextCorrelationID, clientId: "test")
        try await send(writer.array())
        return nextCorrelationID
    }

    /// Sends bytes as they are.
    mutating func send(_ bytes: [UInt8]) async throws {
        try await outbound.write(ByteBuffer(bytes: bytes))
    }

    /// Says that nothing more will come, and goes on reading.
    mutating func finishSending() {
        outbound.finish()
    }

    /// The next frame, without its size; nil when the peer has closed.
    mutating func receive() async throws -> [UInt8]? {
        while true {
            if let size = received.getInteger(at: received.readerIndex, as: Int32.self),
                received.readableBytes >= 4 + Int(size)
            {
                received.moveReaderIndex(forwardBy: 4)
                return received.readBytes(length: Int(size))
            }
            do {
                guard var part = try await inbound.next() else { return nil }
                received.writeBuffer(&part)
                received.discardReadBytes()
            } catch let error as IOError where error.errnoCode == 104 {
                return nil
            }
        }
    }

    /// The next response, which must answer the request with this correlation id.
    mutating func receive<Response: KafkaResponse>(
        _ type: Response.Type, version: Int16, correlationID: Int32
    ) async throws -> Response {
        guard let bytes = try await receive() else { throw Surprise(description: "the broker closed the connection") }
        let (correlation, response) = try decode(bytes, type, version)
        guard correlation == correlationID else {
            throw Surprise(description: "response \(correlation) came where \(correlationID) was due")
        }
        return response
    }

    /// Sends a request and waits for its response.
    mutating func call<Request: KafkaRequest>(_ request: Request, version: Int16) async throws -> Request.Response {
        let correlationID = try await send(request, version: version)
        return try await receive(Request.Response.self, version: version, correlationID: correlationID)
    }
}

/// Decodes a response frame, and insists that nothing is left over.
func decode<Response: KafkaResponse>(
    _ bytes: [UInt8], _ type: Response.Type, _ version: Int16
) throws -> (correlationID: Int32, response: Response) {
    try bytes.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        let header = try ResponseHeader(decoding: &reader, headerVersion: Response.headerVersion(version))
        let response = try Response(decoding: &reader, version: version)
        guard reader.isAtEnd else { throw WireClient.Surprise(description: "\(reader.remaining) bytes left over") }
        return (header.correlationId, response)
    }
}

/// The bytes of a partition's records in a fetch response frame.
func records(_ field: RecordsField, in frame: [UInt8]) -> [UInt8] {
    guard case .frame(let range) = field else { return [] }
    return Array(frame[range])
}
