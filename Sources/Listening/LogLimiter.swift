/// Lets through a number of log lines per second, and counts the rest. A value: time is passed in.
public struct LogLimiter: Sendable {
    /// The lines let through per second.
    public let linesPerSecond: Int
    private var windowStart: UInt64 = 0
    private var linesInWindow = 0
    private var suppressed = 0

    /// A limiter that has let nothing through yet.
    public init(linesPerSecond: Int) {
        self.linesPerSecond = linesPerSecond
    }

    /// How many lines were suppressed since the last one, if this one may be written; else nil. `now` is in monotonic
    /// nanoseconds.
    public mutating func admit(now: UInt64) -> Int? {
        if now >= windowStart + 1_000_000_000 {
            windowStart = now
            linesInWindow = 0
        }
        guard linesInWindow < linesPerSecond else {
            suppressed += 1
            return nil
        }
        linesInWindow += 1
        defer { suppressed = 0 }
        return suppressed
    }
}
