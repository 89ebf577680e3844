import Bytes
import KafkaWire
import Logging
import NIOCore

/// An answer: its body, and the whole frame that `RecordsField.frame` ranges count from.
struct Reply<Body: KafkaResponse> {
    let body: Body
    let frame: ByteBuffer

    /// The bytes of a `records` field, without copying them.
    func records(_ field: RecordsField?) -> ByteBuffer? {
        guard case .frame(let range)? = field, !range.isEmpty else { return nil }
        return frame.getSlice(at: frame.readerIndex + range.lowerBound, length: range.count)
    }
}

/// One connection to one broker. Belongs to its event loop: every call comes from there.
final class BrokerConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    /// What takes the frame that answers a request.
    typealias Taker = (Result<ByteBuffer, KafkaClientError>) -> Void

    let address: BrokerAddress
    private let settings: ClientSettings
    private let logger: Logger
    private var state: ConnectionState<Taker>
    private var accumulator: FrameAccumulator
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private(set) var versions = BrokerVersions()
    /// Called once: when the versions are known, or when the connection failed before.
    private var opened: ((Result<BrokerConnection, KafkaClientError>) -> Void)?
    /// Called once, when a connection that was ready ends.
    var closed: ((KafkaClientError) -> Void)?

    init(
        address: BrokerAddress, settings: ClientSettings, logger: Logger,
        opened: @escaping (Result<BrokerConnection, KafkaClientError>) -> Void
    ) {
        self.address = address
        self.settings = settings
        self.logger = logger
        self.opened = opened
        state = ConnectionState(maximumPending: settings.maximumRequestsPerConnection)
        accumulator = FrameAccumulator(maximumFrameBytes: settings.maximumFrameBytes)
    }

    /// How many answers are awaited.
    var pendingCount: Int { state.pendingCount }

    /// The version in which a request is to be sent.
    func version<Request: KafkaRequest>(
        of request: Request.Type, limit: Int16 = .max
    ) throws(KafkaClientError) -> Int16 {
        guard let version = versions.common(apiKey: Request.apiKey, ours: Request.versions, limit: limit) else {
            throw KafkaClientError(
                .unsupported, "broker \(address) serves no version of \(Request.self) that this client speaks")
        }
        return version
    }

    /// Sends a request. `attachments` are the bytes of its gaps, in order. `reply` is called exactly once, unless
    /// `hasAnswer` is false: then never.
    func send<Request: KafkaRequest>(
        _ request: Request, version: Int16, attachments: [ByteBuffer] = [], deadline: Int64? = nil,
        hasAnswer: Bool = true, reply: @escaping (Result<Reply<Request.Response>, KafkaClientError>) -> Void
    ) {
        let deadline = deadline ?? Time.monotonicMilliseconds() + settings.requestTimeoutMilliseconds
        let taker: Taker = { result in
            reply(result.flatMap { Self.decode(Request.Response.self, version: version, $0) })
        }
        switch state.admit(taker, deadline: deadline, hasAnswer: hasAnswer) {
        case .send(let correlationID):
            write(request, version: version, correlationID: correlationID, attachments: attachments)
            scheduleTick()
        case .full:
            reply(.failure(KafkaClientError(.bufferFull, "too many requests wait for broker \(address)")))
        case .notReady:
            reply(.failure(KafkaClientError(.connection, "the connection to broker \(address) is closed")))
        }
    }

    /// Ends the connection; requests under way fail with `error`.
    func close(_ error: KafkaClientError) { perform(state.close(error)) }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        perform(state.connected(deadline: Time.monotonicMilliseconds() + settings.requestTimeoutMilliseconds))
        scheduleTick()
    }

    func channelInactive(context: ChannelHandlerContext) {
        perform(state.close(KafkaClientError(.connection, "broker \(address) closed the connection")))
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        perform(state.close(KafkaClientError(.connection, "the connection to broker \(address) failed", cause: error)))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do throws(KafkaClientError) {
            try accumulator.append(unwrapInboundIn(data)) { frame in received(frame) }
        } catch {
            perform(state.close(error))
        }
    }

    private func received(_ frame: ByteBuffer) {
        guard let correlationID = frame.getInteger(at: frame.readerIndex, as: Int32.self) else { return }
        switch state.received(correlationID: correlationID) {
        case .complete(let taker): taker(.success(frame))
        case .readVersions(let version): readVersions(frame, version: version)
        case let other: perform(other)
        }
    }

    private func perform(_ action: ConnectionState<Taker>.Action) {
        switch action {
        case .none, .complete, .readVersions: break
        case .askVersions(let version, let correlationID):
            var request = ApiVersionsRequest()
            request.clientSoftwareName = "millrace"
            request.clientSoftwareVersion = "1"
            write(request, version: version, correlationID: correlationID, attachments: [])
        case .ready(let versions):
            self.versions = versions
            opened?(.success(self))
            opened = nil
        case .close(let error, let failing):
            logger.debug("connection closed", metadata: ["broker": "\(address)", "reason": "\(error)"])
            timer?.cancel()
            context?.close(promise: nil)
            opened?(.failure(error))
            opened = nil
            for taker in failing { taker(.failure(error)) }
            closed?(error)
            closed = nil
        }
    }

    /// One timer per connection, set only while answers are awaited.
    private func scheduleTick() {
        guard timer == nil, let context, let deadline = state.nextDeadline else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let due = NIODeadline.uptimeNanoseconds(UInt64(max(0, deadline)) * 1_000_000)
        timer = context.eventLoop.scheduleTask(deadline: due) {
            let connection = bound.value
            connection.timer = nil
            connection.perform(connection.state.tick(now: Time.monotonicMilliseconds()))
            connection.scheduleTick()
        }
    }
}

extension BrokerConnection {
    private func write<Request: KafkaRequest>(
        _ request: Request, version: Int16, correlationID: Int32, attachments: [ByteBuffer]
    ) {
        guard let context else { return }
        var writer = ByteWriter(capacity: 512)
        request.encodeFrame(
            into: &writer, version: version, correlationId: correlationID, clientId: settings.clientID)
        let gaps = writer.gaps
        precondition(gaps.count == attachments.count, "each gap of a request has its bytes")
        writer.withUnsafeBytes { bytes in
            var start = 0
            for (gap, attachment) in zip(gaps, attachments) {
                let part = UnsafeRawBufferPointer(rebasing: bytes[start..<gap.position])
                context.write(wrapOutboundOut(ByteBuffer(bytes: part)), promise: nil)
                context.write(wrapOutboundOut(attachment), promise: nil)
                start = gap.position
            }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            context.write(wrapOutboundOut(ByteBuffer(bytes: rest)), promise: nil)
        }
        context.flush()
    }

    private static func decode<Body: KafkaResponse>(
        _ type: Body.Type, version: Int16, _ frame: ByteBuffer
    ) -> Result<Reply<Body>, KafkaClientError> {
        let body = frame.withUnsafeReadableBytes { bytes -> Result<Body, WireError> in
            do throws(WireError) {
                var reader = ByteReader(bytes)
                _ = try ResponseHeader(decoding: &reader, headerVersion: Body.headerVersion(version))
                return .success(try Body(decoding: &reader, version: version))
            } catch {
                return .failure(error)
            }
        }
        return body.map { Reply(body: $0, frame: frame) }.mapError {
            KafkaClientError(.malformed, "cannot read an answer of type \(Body.self), version \(version)", cause: $0)
        }
    }

    /// A broker that does not know the version answers with a body of version 0, whatever it was asked in.
    private func readVersions(_ frame: ByteBuffer, version: Int16) {
        let deadline = Time.monotonicMilliseconds() + settings.requestTimeoutMilliseconds
        // The error code is the first field of every version, right after the correlation number.
        let code = frame.getInteger(at: frame.readerIndex + 4, as: Int16.self) ?? 0
        let unsupported = code == ErrorCode.unsupportedVersion.rawValue
        var known = BrokerVersions()
        var refusal: KafkaClientError?
        switch Self.decode(ApiVersionsResponse.self, version: unsupported ? 0 : version, frame) {
        case .success(let reply):
            for api in reply.body.apiKeys { known.add(apiKey: api.apiKey, least: api.minVersion, most: api.maxVersion) }
            if code != 0 { refusal = KafkaClientError(.refused, "the broker refused ApiVersions", brokerCode: code) }
        case .failure(let error):
            if !unsupported { refusal = error }
        }
        perform(
            state.versionsAnswered(unsupported: unsupported, refusal: refusal, versions: known, deadline: deadline))
    }
}
