import Instruments

/// What of one connection is counted while it lasts: each change is added to the loop's instruments, and taken back at
/// the end.
struct ConnectionGauges {
    /// Why a connection is not read on. Each is a label.
    enum Pause: String, CaseIterable {
        /// As many requests as allowed are not answered yet.
        case requestsInFlight = "requests-in-flight"
        /// The client does not read its responses.
        case unreadResponses = "unread-responses"
        /// There is no memory for its large request.
        case requestMemory = "request-memory"
        /// Another thread works on a request that changes what later ones see.
        case administration
    }

    private var inFlight = 0
    private var waitingProduces = 0
    private var elsewhere = 0
    private var pause: (reason: Pause, since: UInt64)?

    /// Shows how many requests are not answered yet, and how many of them wait for a sync, or for another thread.
    mutating func show(inFlight: Int, waitingProduces: Int, elsewhere: Int, in instruments: LoopInstruments) {
        if inFlight != self.inFlight {
            instruments.inFlight.add(Int64(inFlight - self.inFlight))
            self.inFlight = inFlight
        }
        if waitingProduces != self.waitingProduces {
            instruments.waitingProduces.add(Int64(waitingProduces - self.waitingProduces))
            self.waitingProduces = waitingProduces
        }
        if elsewhere != self.elsewhere {
            instruments.elsewhere.add(Int64(elsewhere - self.elsewhere))
            self.elsewhere = elsewhere
        }
    }

    /// Whether it is read on, and why not; `now` is asked only when that changes.
    mutating func show(pause reason: Pause?, now: @autoclosure () -> UInt64, in instruments: LoopInstruments) {
        guard reason != pause?.reason else { return }
        let now = now()
        addPausedTime(now: now, in: instruments)
        if let pause { instruments[pause.reason].connections.add(-1) }
        pause = reason.map { ($0, now) }
        guard let reason else { return }
        instruments[reason].connections.add(1)
        instruments[reason].times.add()
    }

    /// Counts the time of a pause that goes on.
    mutating func addPausedTime(now: UInt64, in instruments: LoopInstruments) {
        guard let pause else { return }
        instruments[pause.reason].nanoseconds.add(now &- min(now, pause.since))
        self.pause?.since = now
    }
}
