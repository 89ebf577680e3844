public import Instruments
public import Logging
import Machine
public import NIOCore

/// Stands in a listening channel and waits a while whenever a connection cannot be accepted.
///
/// Out of file descriptors, `accept` fails and the connection stays in the queue of the kernel, so the socket stays
/// readable: without a pause the event loop would try again at once, forever. NIO's own `AcceptBackoffHandler` holds
/// back the channel's reads, but not the selector, which goes on reporting the socket after a failed `accept`
/// (swift-nio 2.101); only turning `autoRead` off deregisters it.
///
/// Each failure is counted in `millrace_accept_failures_total`; one line per second at most is logged, with the limit
/// to raise. Clients wait in the kernel's queue meanwhile, and are accepted within a pause of a descriptor becoming
/// free.
public final class AcceptPause: ChannelInboundHandler, RemovableChannelHandler {
    /// The channels that were accepted; they pass untouched.
    public typealias InboundIn = any Channel

    /// How long nothing is accepted after a failure: ten tries per second cost nothing that can be measured, and
    /// nobody notices the delay.
    public static let pause = TimeAmount.milliseconds(100)

    private let listener: String
    private let failures: Counter
    private let logger: Logger
    private var limiter = LogLimiter(linesPerSecond: 1)

    /// A handler for the channel of one listener, whose name ("kafka", "http") becomes the label of its counter.
    public init(listener: String, instruments: InstrumentRegistry, logger: Logger) {
        self.listener = listener
        self.logger = logger
        failures = instruments.counter(
            "millrace_accept_failures_total",
            help: "Times that a connection could not be accepted, by listener; then nothing is accepted for 100 ms.",
            labels: [Label("listener", listener)])
    }

    /// Pauses after a failed `accept`, whose error ends here; other errors pass.
    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let failure = error as? IOError else { return context.fireErrorCaught(error) }
        failures.add()
        report(failure, now: context.eventLoop.now.uptimeNanoseconds)
        setAccepting(false, context.channel)
        let channel = NIOLoopBound(context.channel, eventLoop: context.eventLoop)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.pause) { handler.value.setAccepting(true, channel.value) }
    }

    private func setAccepting(_ isAccepting: Bool, _ channel: any Channel) {
        // It fails only when the channel is closed, which needs no pause.
        try? channel.syncOptions?.setOption(.autoRead, value: isAccepting)
    }

    private func report(_ failure: IOError, now: UInt64) {
        guard let suppressed = limiter.admit(now: now) else { return }
        var metadata: Logger.Metadata = [
            "listener": "\(listener)", "detail": "\(failure)", "suppressed": "\(suppressed)",
        ]
        if MachineError.Code(errorNumber: failure.errnoCode) == .tooManyFiles {
            metadata["hint"] = """
                raise the limit of open files (ulimit -Hn, or LimitNOFILE= in systemd; fs.file-max if it is the \
                system's), or allow fewer connections
                """
        }
        logger.error("a connection cannot be accepted", metadata: metadata)
    }
}
