public import Machine
import Synchronization

/// A machine in memory, all of whose chances come from one seed: the same calls in the same order give the same
/// results, times and random numbers.
///
/// Its disk keeps what a real one keeps. `crash()` ends the process: written bytes stay. `cutPower()` ends the
/// machine: synced bytes stay; of what was written or resized since, every 512-byte sector, size and directory entry
/// is kept or lost as the seed decides, so that writes come out whole, torn or not at all. After either, take
/// `machine` again: whatever still holds the previous one gets errors and changes nothing.
///
/// Safe to use from several threads; reproducible only from one.
public final class SimulatedMachine: Sendable {
    /// Where every chance comes from.
    public let seed: UInt64
    private let world: SharedWorld

    /// A machine with an empty disk.
    public init(seed: UInt64, settings: SimulatedSettings = SimulatedSettings()) {
        self.seed = seed
        world = SharedWorld(World(seed: seed, settings: settings))
    }

    /// What the running process sees. After `crash()` and `cutPower()` there is a new one.
    public var machine: Machine {
        let incarnation = world.state.withLock { $0.incarnation }
        return Machine(
            files: SimulatedFileSystem(world: world, incarnation: incarnation),
            clock: SimulatedClock(world: world),
            randomness: SimulatedRandomness(world: world))
    }

    /// The running process, for things that are no files but share its faults and its end.
    public var process: SimulatedProcess {
        let incarnation = world.state.withLock { $0.incarnation }
        return SimulatedProcess(world: world, incarnation: incarnation)
    }

    // MARK: Ends

    /// Ends the process, as `kill -9` does: locks and descriptors go, written bytes stay in the page cache.
    public func crash() {
        world.state.withLock { $0.crash() }
    }

    /// Ends the process and loses what was not synced, as the seed decides.
    public func cutPower() {
        world.state.withLock { $0.cutPower() }
    }

    /// Lets the process die within the `count`-th file operation from now (1 is the next). From then on every
    /// operation fails and changes nothing, until `crash()` or `cutPower()`.
    public func stop(atOperation count: Int) {
        precondition(count > 0, "operations count from 1")
        world.state.withLock { $0.operationsUntilStop = count }
    }

    /// Whether the process died by `stop(atOperation:)` and was not restarted yet.
    public var isStopped: Bool {
        world.state.withLock { $0.isStopped }
    }

    /// Whether the process is going to die by `stop(atOperation:)`.
    public var isStopping: Bool {
        world.state.withLock { $0.operationsUntilStop != nil }
    }

    // MARK: Faults

    /// Adds a fault. Faults stay over `crash()` and `cutPower()`.
    public func inject(_ fault: SimulatedFault) {
        world.state.withLock { $0.faults.append(ArmedFault(fault)) }
    }

    /// Removes every fault, and a `stop(atOperation:)` that has not happened.
    public func clearFaults() {
        world.state.withLock { world in
            world.faults = []
            world.operationsUntilStop = nil
        }
    }

    /// Whether the next sync of some file will fail for what went wrong in an earlier one of the volume. A process leaves
    /// this to the next one; a power cut ends it.
    public var owesSyncFailure: Bool {
        world.state.withLock { $0.disk.files.values.contains { $0.hasUntoldFailure } }
    }

    /// Changes the size of the disk. What is stored stays, even if it is more.
    public func setCapacity(bytes: Int64) {
        world.state.withLock { $0.settings.capacityBytes = bytes }
    }

    /// How often an operation was called since the machine was made, failed calls included.
    public func calls(of operation: SimulatedOperation) -> Int {
        world.state.withLock { $0.calls[operation, default: 0] }
    }

    /// How often any operation was called since the machine was made.
    public var calls: Int {
        world.state.withLock { $0.calls.values.reduce(0, +) }
    }

    // MARK: Time

    /// Lets time pass, on both clocks.
    public func advance(milliseconds: Int64) {
        precondition(milliseconds >= 0, "time does not go back; jumpWallClock does")
        world.state.withLock { $0.advance(nanoseconds: UInt64(milliseconds) * 1_000_000) }
    }

    /// Sets the wall clock forward or back, as an operator or a time server does. Monotonic time goes on.
    public func jumpWallClock(byMilliseconds milliseconds: Int64) {
        world.state.withLock { $0.wallNanoseconds += milliseconds * 1_000_000 }
    }
}

/// What a simulated machine is made of.
public struct SimulatedSettings: Sendable {
    /// The size of the disk in bytes. The default is 1 TiB.
    public var capacityBytes: Int64 = 1 << 40
    /// The wall time at the start, in milliseconds since 1970-01-01 UTC. The default is 2023-11-14 22:13:20.
    public var wallMilliseconds: Int64 = 1_700_000_000_000
    /// How long a read takes, in nanoseconds; the seed picks within. The default is no time.
    public var readNanoseconds: ClosedRange<UInt64> = 0...0
    /// How long a write takes, in nanoseconds. The default is no time.
    public var writeNanoseconds: ClosedRange<UInt64> = 0...0
    /// How long a sync of a file, a directory or the volume takes, in nanoseconds. The default is no time.
    public var syncNanoseconds: ClosedRange<UInt64> = 0...0

    /// The defaults.
    public init() {}
}
