/// When a connection is given up: a frame that trickles, a client that is silent or does not read. Time is passed in,
/// as monotonic nanoseconds.
struct ConnectionTimeouts {
    private let frameNanoseconds: UInt64
    private let idleNanoseconds: UInt64
    private var frameBeganAt: UInt64?
    private var lastActivityAt: UInt64
    /// When the last bytes came.
    private(set) var lastReceivedAt: UInt64

    init(settings: KafkaServerSettings, now: UInt64) {
        frameNanoseconds = UInt64(max(0, settings.frameTimeoutMilliseconds)) * 1_000_000
        idleNanoseconds = UInt64(max(0, settings.idleTimeoutMilliseconds)) * 1_000_000
        lastActivityAt = now
        lastReceivedAt = now
    }

    /// Bytes came.
    mutating func received(at now: UInt64) {
        lastActivityAt = now
        lastReceivedAt = now
    }

    /// The broker reads again, after the client has read what had filled the socket's buffer, or after a wait for
    /// memory: what a frame took until now does not count.
    mutating func resumed(at now: UInt64) {
        lastActivityAt = now
        if frameBeganAt != nil { frameBeganAt = now }
    }

    /// A frame has begun, and more of it is missing.
    mutating func beganFrame(at now: UInt64) {
        if frameBeganAt == nil { frameBeganAt = now }
    }

    /// The frame that had begun is complete.
    mutating func completedFrame() {
        frameBeganAt = nil
    }

    /// Why the connection is to be closed, or nil. `isBusy`: the broker works on a request, so that silence is the
    /// broker's. `isReading`: the broker reads, so that a frame that does not complete is the client's doing.
    func expired(
        now: UInt64, isBusy: Bool, isReading: Bool
    ) -> (reason: KafkaInstruments.CloseReason, detail: String)? {
        if isReading, let frameBeganAt, now - min(now, frameBeganAt) > frameNanoseconds {
            return (.frameTimeout, "a request was not complete after \(frameNanoseconds / 1_000_000) ms")
        }
        if !isBusy, now - min(now, lastActivityAt) > idleNanoseconds {
            return (.idle, "nothing moved for \(idleNanoseconds / 1_000_000) ms")
        }
        return nil
    }
}
