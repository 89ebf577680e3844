import Machine

/// The only place where the client reads clocks; everything else is given the time.
enum Time {
    private static let clock = Machine.posix().clock

    /// Milliseconds on a clock that never goes back. The same clock as NIO's deadlines.
    static func monotonicMilliseconds() -> Int64 { Int64(clock.monotonicNanoseconds() / 1_000_000) }

    /// Milliseconds since 1970-01-01 UTC. May jump.
    static func wallMilliseconds() -> Int64 { clock.wallMilliseconds() }
}
