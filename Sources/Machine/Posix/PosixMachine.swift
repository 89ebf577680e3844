import Glibc

extension Machine {
    /// The real machine: the operating system's files, clocks and random numbers.
    public static func posix() -> Machine {
        Machine(files: PosixFileSystem(), clock: PosixClock(), randomness: PosixRandomness())
    }
}

/// `CLOCK_REALTIME`, `CLOCK_MONOTONIC` and `CLOCK_THREAD_CPUTIME_ID`.
struct PosixClock: Clock {
    func wallMilliseconds() -> Int64 {
        let now = PosixClock.now(CLOCK_REALTIME)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    func monotonicNanoseconds() -> UInt64 {
        let now = PosixClock.now(CLOCK_MONOTONIC)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    func threadNanoseconds() -> UInt64 {
        let now = PosixClock.now(CLOCK_THREAD_CPUTIME_ID)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    private static func now(_ clock: clockid_t) -> timespec {
        var time = timespec()
        let result = clock_gettime(clock, &time)
        precondition(result == 0, "clock_gettime fails only for a clock that does not exist")
        return time
    }
}

/// The system's cryptographically secure generator.
struct PosixRandomness: Randomness {
    func next() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
