/// What the machine gives a process: files, time and randomness.
///
/// Everything below the listeners reaches the outside through a `Machine`, and through nothing else, so that the
/// same code runs on the real machine and in a simulation from a seed (`SimulatedMachine`).
public struct Machine: Sendable {
    /// The file system.
    public let files: any FileSystem
    /// Wall time and monotonic time.
    public let clock: any Clock
    /// The source of random numbers.
    public let randomness: any Randomness

    /// Assembles a machine from its parts.
    public init(files: any FileSystem, clock: any Clock, randomness: any Randomness) {
        self.files = files
        self.clock = clock
        self.randomness = randomness
    }
}

/// Wall time and monotonic time. Wall time may jump in either direction; it never decides safety.
public protocol Clock: Sendable {
    /// Milliseconds since 1970-01-01 UTC. May jump.
    func wallMilliseconds() -> Int64
    /// Nanoseconds since an arbitrary point. Never goes back.
    func monotonicNanoseconds() -> UInt64
    /// Nanoseconds of CPU that the calling thread has used. Never goes back; about 0.3 µs a call.
    func threadNanoseconds() -> UInt64
}

/// A source of random numbers.
public protocol Randomness: Sendable {
    /// The next 64 random bits.
    func next() -> UInt64
}
