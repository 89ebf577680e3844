import Bytes
import Instruments
import KafkaWire
import Log
import Machine
import NIOCore

/// One client's connection: cuts frames, has each request handled, and writes the responses in order.
///
/// Lives on one event loop. What other threads have for it comes through the loop's mailbox, by number, so that a
/// client that vanishes leaves nothing behind.
final class KafkaConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = Never
    typealias OutboundOut = IOData

    let id: ConnectionID
    let loop: BrokerLoop
    /// Whether the loop will let this connection write at the end of the current batch of events.
    var isTouched = false

    private(set) var addresses = ConnectionAddresses(local: .init(host: "", port: 0), remote: "", clientHost: "")
    private(set) var context: ChannelHandlerContext?
    var responses: ResponseQueue<Response>
    var outbound = OutboundBatch()
    /// Produce requests in the loop's group, in its order; empty between read cycles.
    var grouped: [GroupedProduce] = []
    /// Produce requests that wait for a sync.
    var produces: [Ticket: WaitingProduce] = [:]
    /// Fetch requests that wait for data.
    var fetches: [Ticket: WaitingFetch] = [:]
    /// The timer that looks at `fetches`, and when it fires. At most one is pending.
    var fetchTimer: (task: Scheduled<Void>, deadline: UInt64)?
    /// Requests that other threads work on or answer.
    var offloaded: [Ticket: RequestStamp] = [:]

    /// The channel's socket, for sending without its queue; nil if the channel has none, as in tests.
    private var socket: StreamSocket?
    private let sender: BatchSender
    private var frames: FrameAccumulator
    private var timeouts: ConnectionTimeouts
    /// Whether the connection is being closed, at once or after its last byte: nothing is taken up or written any more.
    private var isClosing = false
    private var isClosed = false
    private var isReadRequested = false
    private var isAdvancing = false
    private var gauges = ConnectionGauges()
    private var isForgotten = false
    private var reservedBytes = 0
    private var waitsForMemory = false

    /// A request of up to this size needs no reservation in the memory budget.
    private static let unreservedFrameBytes = 64 << 10
    /// Responses that gather before they are written although the read cycle has not ended.
    private static let batchBytes = 256 << 10

    init(id: ConnectionID, loop: BrokerLoop) {
        self.id = id
        self.loop = loop
        let settings = loop.broker.settings
        responses = ResponseQueue(capacity: settings.maximumRequestsInFlight)
        frames = FrameAccumulator(maximumFrameBytes: settings.maximumFrameBytes)
        sender = BatchSender(unsentBytes: loop.instruments.unsentBytes)
        timeouts = ConnectionTimeouts(settings: settings, now: loop.now())
    }

    var broker: Broker { loop.broker }

    // MARK: The channel's events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { channelActive(context: context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        let remote = context.channel.remoteAddress.flatMap(KafkaServerSettings.Endpoint.init)
        let fallback = KafkaServerSettings.Endpoint(host: broker.settings.host, port: broker.settings.port)
        addresses = ConnectionAddresses(
            local: context.channel.localAddress.flatMap(KafkaServerSettings.Endpoint.init) ?? fallback,
            remote: context.channel.remoteAddress?.description ?? "unknown",
            clientHost: "/" + (remote?.host ?? "unknown"))
        socket = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self, StreamSocket.init(descriptor:))
        loop.add(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        loop.instruments.bytesIn.add(UInt64(buffer.readableBytes))
        timeouts.received(at: loop.now())
        frames.append(buffer)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        advance()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        responses.writabilityChanged(context.channel.isWritable)
        if context.channel.isWritable {
            timeouts.resumed(at: loop.now())
            advance()
        }
    }

    func read(context: ChannelHandlerContext) {
        isReadRequested = true
        readIfAllowed()
    }

    func channelInactive(context: ChannelHandlerContext) {
        forgetEverything()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        forgetEverything()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(.socket, "\(error)")
    }

    // MARK: Work

    /// Takes up the requests that have arrived, writes the responses that are ready, once, and reads on.
    func advance() {
        guard !isAdvancing, !isClosing else { return }
        isAdvancing = true
        sendReady(now: loop.now())
        var isDone = false
        while !isDone {
            isDone = takeRequests() || grouped.isEmpty
            commitGroup()
            sendReady(now: loop.now())
        }
        isAdvancing = false
        flush()
        showRequests()
        readIfAllowed()
    }

    /// - Returns: whether no whole request is left, or the connection closes. Otherwise as many as allowed are in
    ///   flight.
    private func takeRequests() -> Bool {
        var startedAt = loop.now()
        while responses.admission == .open {
            switch frames.next() {
            case .frame(let frame):
                releaseReservation()
                timeouts.completedFrame()
                startedAt = handle(frame, readAt: timeouts.lastReceivedAt, startedAt: startedAt)
                sendReady(now: startedAt)
                if outbound.byteCount >= Self.batchBytes { flush() }
            case .needsMore(let frameBytes):
                if !frames.isEmpty { timeouts.beganFrame(at: startedAt) }
                waitsForMemory = !reserve(frameBytes ?? 0)
                return true
            case .refused(let announced):
                close(.frameSize, "a request of \(announced) bytes was announced")
                return true
            }
        }
        return isClosing
    }

    /// Moves the responses that may leave into the batch that is written next.
    private func sendReady(now: UInt64) {
        while true {
            switch responses.next() {
            case .wait: return
            case .send(let response):
                loop.instruments[response.stamp.api].order.record(now &- min(now, response.readyAt))
                outbound.append(response, sharing: &loop.writer)
            case .close: return closeAfterLastByte()
            }
        }
    }

    /// Sends straight to the socket, which nearly always takes everything: a queue between costs as much again. What is
    /// left goes through the channel, and so does everything after it until the channel has caught up.
    private func flush() {
        guard !outbound.isEmpty, !isClosing, let context else { return }
        loop.instruments.bytesOut.add(UInt64(outbound.byteCount))
        var sent = 0
        // An inactive channel has closed its descriptor, which may be another connection's by now.
        if let socket, sender.isIdle, context.channel.isActive {
            guard let count = outbound.send(through: socket) else { return close(.socket, "sending failed") }
            sent = count
        }
        if sent < outbound.byteCount { outbound.forEachPiece(after: sent) { sender.write($0, context) } }
        outbound.removeAll(sharing: &loop.writer)
        do {
            try sender.flush(context)
        } catch {
            close(.storage, "\(error)")
        }
    }

    private func readIfAllowed() {
        guard isReadRequested, !isClosing, let context else { return }
        gauges.show(pause: pause, now: loop.now(), in: loop.instruments)
        guard !waitsForMemory, responses.admission == .open else { return }
        isReadRequested = false
        context.read()
    }

    /// Why the connection is not read on, unless it closes.
    private var pause: ConnectionGauges.Pause? {
        switch responses.admission {
        case .full: .requestsInFlight
        case .notWritable: .unreadResponses
        case .exclusive: .administration
        case .open: waitsForMemory ? .requestMemory : nil
        case .closing: nil
        }
    }

    private func showRequests() {
        guard !isForgotten else { return }
        gauges.show(
            inFlight: responses.inFlight, waitingProduces: produces.count, elsewhere: offloaded.count,
            in: loop.instruments)
    }

    private func reserve(_ frameBytes: Int) -> Bool {
        guard frameBytes > Self.unreservedFrameBytes, reservedBytes == 0 else { return true }
        let waiter = MemoryBudget.Waiter(connection: id, mailbox: loop.mailbox)
        guard broker.budget.reserve(frameBytes, orTell: waiter) else { return false }
        reservedBytes = frameBytes
        return true
    }

    private func releaseReservation() {
        guard reservedBytes > 0 else { return }
        broker.budget.release(reservedBytes)
        reservedBytes = 0
    }

    // MARK: The end

    /// Takes no more requests; closes when the last response has left. Waiting fetches are answered with what there is.
    func drain() {
        responses.close()
        for ticket in Array(fetches.keys) { answerFetch(ticket) }
        sendReady(now: loop.now())
        flush()
    }

    private func closeAfterLastByte() {
        flush()
        guard !isClosing, let context else { return }
        isClosing = true
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer())), promise: promise)
    }

    /// Closes at once, with a log line and a count.
    func close(_ reason: KafkaInstruments.CloseReason, _ detail: String) {
        guard !isClosed, let context else { return }
        isClosed = true
        isClosing = true
        loop.report(reason, detail, remote: addresses.remote)
        responses.close()
        context.close(promise: nil)
    }

    /// Closes the connection if one of its times is up.
    func enforceTimeouts(now: UInt64) {
        expireProduces(now: now)
        gauges.addPausedTime(now: now, in: loop.instruments)
        let isBusy = responses.inFlight > 0 && responses.admission != .notWritable
        let isReading = responses.admission == .open && !waitsForMemory
        if let (reason, detail) = timeouts.expired(now: now, isBusy: isBusy, isReading: isReading) {
            close(reason, detail)
        }
    }

    private func forgetEverything() {
        cancelFetches()
        produces.removeAll()
        offloaded.removeAll()
        releaseReservation()
        responses.close()
        isForgotten = true
        gauges.show(inFlight: 0, waitingProduces: 0, elsewhere: 0, in: loop.instruments)
        gauges.show(pause: nil, now: loop.now(), in: loop.instruments)
        loop.remove(self)
    }

    /// What another thread has left for this connection.
    func handle(_ event: LoopEvent) {
        switch event {
        case .synced(let request, let position, let error): synced(request.ticket, position, error)
        case .readable(let request): fetchIsReadable(request.ticket)
        case .done(let request, let body): offloadedWorkIsDone(request.ticket, body)
        case .memoryAvailable:
            waitsForMemory = false
            timeouts.resumed(at: loop.now())
        }
    }
}

extension KafkaServerSettings.Endpoint {
    /// The host and port of an internet address; IPv4 addresses that are mapped into IPv6 are given as IPv4.
    init?(_ address: SocketAddress) {
        guard let host = address.ipAddress, let port = address.port else { return nil }
        let mapped = "::ffff:"
        self.init(host: host.hasPrefix(mapped) ? String(host.dropFirst(mapped.count)) : host, port: port)
    }
}
