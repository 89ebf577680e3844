import HTTPTypes
import Instruments
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Holds one connection to its bounds: has it a place in the table, closes it when `ConnectionState` says so, and
/// answers what cannot be parsed. Stands between the HTTP codec and Hummingbird.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let bounds: ConnectionBounds
    private var state: ConnectionState
    private var timer: Scheduled<Void>?
    /// When the timer looks at the state.
    private var watchedDeadline = NIODeadline.distantFuture

    init(_ bounds: ConnectionBounds) {
        self.bounds = bounds
        state = ConnectionState(settings: bounds.settings, now: .now())
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !state.isRefused else { return }
        switch unwrapInboundIn(data) {
        case .head: perform(state.requestBegan(now: now(context)), context)
        case .body: break
        case .end: perform(state.requestEnded(now: now(context)), context)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !state.isRefused else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        // Written means that the kernel has it: a client that does not read keeps it from being written.
        let written = promise ?? context.eventLoop.makePromise()
        let (handler, place) = (NIOLoopBound(self, eventLoop: context.eventLoop), context.loopBound)
        written.futureResult.whenSuccess {
            let (handler, context) = (handler.value, place.value)
            handler.perform(handler.state.responseEnded(now: handler.now(context)), context)
        }
        context.write(data, promise: written)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        // The rest of what is malformed: it was answered, or will be.
        case is ByteToMessageDecoderError: break
        case HTTPParserError.headerOverflow: perform(state.fail(.headersTooLarge, now: now(context)), context)
        case is HTTPParserError: perform(state.fail(.malformed, now: now(context)), context)
        default: context.fireErrorCaught(error)
        }
    }

    private func begin(_ context: ChannelHandlerContext) {
        let (id, table, channel) = (ObjectIdentifier(context.channel), bounds.table, context.channel)
        let bounds = bounds
        bounds.connections.add(1)
        channel.closeFuture.whenComplete { _ in
            table.remove(id)
            bounds.connections.add(-1)
        }
        state = ConnectionState(settings: bounds.settings, now: now(context))
        let hasPlace = table.admit(id, now: now(context)) {
            bounds.count(.evicted)
            channel.close(promise: nil)
        }
        perform(hasPlace ? .nothing : state.fail(.tooManyConnections, now: now(context)), context)
    }

    private func perform(_ action: ConnectionState.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .nothing: break
        case .becomeBusy: bounds.table.set(ObjectIdentifier(context.channel), idleSince: nil)
        case .becomeIdle: bounds.table.set(ObjectIdentifier(context.channel), idleSince: now(context))
        case .refuse(let status): refuse(status, context)
        }
        if state.deadline < watchedDeadline { watch(context) }
    }

    private func refuse(_ status: HTTPResponse.Status, _ context: ChannelHandlerContext) {
        bounds.count(state.reason)
        bounds.table.set(ObjectIdentifier(context.channel), idleSince: now(context))
        let text = ByteBuffer(string: "\(status.code) \(status.reasonPhrase)\n")
        let fields: HTTPFields = [
            .connection: "close", .contentLength: "\(text.readableBytes)", .contentType: "text/plain; charset=utf-8",
        ]
        context.write(wrapOutboundOut(.head(HTTPResponse(status: status, headerFields: fields))), promise: nil)
        context.write(wrapOutboundOut(.body(text)), promise: nil)
        let answered = context.eventLoop.makePromise(of: Void.self)
        let place = context.loopBound
        let lingers = state.reason != .tooManyConnections
        answered.futureResult.whenComplete { _ in
            place.value.close(mode: lingers ? .output : .all, promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: answered)
    }

    /// Looks again when the deadline comes, which may have moved on by then: no timer is set per request.
    private func watch(_ context: ChannelHandlerContext) {
        timer?.cancel()
        watchedDeadline = state.deadline
        let (handler, place) = (NIOLoopBound(self, eventLoop: context.eventLoop), context.loopBound)
        timer = context.eventLoop.scheduleTask(deadline: state.deadline) {
            handler.value.deadlineCame(place.value)
        }
    }

    private func deadlineCame(_ context: ChannelHandlerContext) {
        guard now(context) >= state.deadline else { return watch(context) }
        if !state.isRefused { bounds.count(state.reason) }
        context.close(promise: nil)
    }

    private func now(_ context: ChannelHandlerContext) -> NIODeadline { context.eventLoop.now }
}
