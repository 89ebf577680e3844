import Glibc
import Machine
import Synchronization

/// The one state of a simulated machine, shared by everything that acts on it.
final class SharedWorld: Sendable {
    let state: Mutex<World>

    init(_ world: sending World) {
        state = Mutex(world)
    }
}

/// Disk, clocks, randomness and faults of a simulated machine.
struct World {
    var settings: SimulatedSettings
    var random: SeededGenerator
    var disk = Disk()
    var wallNanoseconds: Int64
    var monotonicNanoseconds: UInt64 = 1_000_000_000
    var faults: [ArmedFault] = []
    var calls: [SimulatedOperation: Int] = [:]
    /// Which process runs; counts up with each end.
    private(set) var incarnation = 0
    private(set) var isStopped = false
    var operationsUntilStop: Int?
    /// The locked files, by node number.
    var locks: Set<Int> = []

    init(seed: UInt64, settings: SimulatedSettings) {
        self.settings = settings
        random = SeededGenerator(seed: seed)
        wallNanoseconds = settings.wallMilliseconds * 1_000_000
    }

    mutating func advance(nanoseconds: UInt64) {
        monotonicNanoseconds += nanoseconds
        wallNanoseconds += Int64(nanoseconds)
    }

    mutating func crash() {
        disk.releaseHandles()
        restart()
    }

    mutating func cutPower() {
        disk.cutPower(&random)
        restart()
    }

    private mutating func restart() {
        incarnation += 1
        isStopped = false
        operationsUntilStop = nil
        locks = []
    }

    func isAlive(_ incarnation: Int) -> Bool {
        incarnation == self.incarnation && !isStopped
    }

    /// Counts a call, lets its time pass, and tells the error that it is to end with.
    mutating func begin(_ call: Call) -> MachineError? {
        guard isAlive(call.incarnation) else { return call.error(.device, EIO) }
        calls[call.operation, default: 0] += 1
        pass(call.operation)
        if let left = operationsUntilStop {
            operationsUntilStop = left - 1
            if left == 1 {
                operationsUntilStop = nil
                isStopped = true
                return call.error(.device, EIO)
            }
        }
        // Every fault counts every call, whether another one strikes it or not.
        var struck: MachineError.Code?
        for index in faults.indices where faults[index].strikes(call.operation, call.path, &random) {
            struck = struck ?? faults[index].fault.code
        }
        return struck.map { call.error($0) }
    }

    private mutating func pass(_ operation: SimulatedOperation) {
        switch operation {
        case .read: advance(nanoseconds: random.within(settings.readNanoseconds))
        case .write: advance(nanoseconds: random.within(settings.writeNanoseconds))
        case .synchronize, .synchronizeDirectory, .synchronizeVolume:
            advance(nanoseconds: random.within(settings.syncNanoseconds))
        default: break
        }
    }
}

/// One call of a process.
struct Call {
    let operation: SimulatedOperation
    let name: String
    let path: String
    let incarnation: Int

    func error(_ errorNumber: Int32) -> MachineError {
        MachineError(errorNumber: errorNumber, operation: name, path: path)
    }

    func error(_ code: MachineError.Code, _ errorNumber: Int32? = nil) -> MachineError {
        MachineError(
            code: code, operation: name, path: path, errorNumber: errorNumber ?? Call.errorNumber(of: code))
    }

    private static func errorNumber(of code: MachineError.Code) -> Int32 {
        switch code {
        case .notFound: ENOENT
        case .exists: EEXIST
        case .noSpace: ENOSPC
        case .device: EIO
        case .tooManyFiles: EMFILE
        case .denied: EACCES
        case .locked: EWOULDBLOCK
        case .other: EINVAL
        }
    }
}

struct SimulatedClock: Clock {
    let world: SharedWorld

    func wallMilliseconds() -> Int64 {
        world.state.withLock { $0.wallNanoseconds / 1_000_000 }
    }

    func monotonicNanoseconds() -> UInt64 {
        world.state.withLock { $0.monotonicNanoseconds }
    }

    /// Computing takes no time here.
    func threadNanoseconds() -> UInt64 { 0 }
}

struct SimulatedRandomness: Randomness {
    let world: SharedWorld

    func next() -> UInt64 {
        world.state.withLock { $0.random.next() }
    }
}
