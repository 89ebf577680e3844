public import Machine

/// The calls of `FileSystem` and `File` that can fail in a simulation.
public enum SimulatedOperation: Sendable, Hashable, CaseIterable {
    /// `FileSystem.open`.
    case open
    /// `File.read`.
    case read
    /// `File.write`. A failed write leaves a prefix, as long as the seed decides.
    case write
    /// `File.synchronize`. A failed one drops the dirty pages, as Linux does: what was written since the last
    /// success is on the disk or not, as the seed decides, and no later sync will write it.
    case synchronize
    /// `File.truncate`.
    case truncate
    /// `File.map`.
    case map
    /// `FileSystem.createDirectory`.
    case createDirectory
    /// `FileSystem.contents`.
    case list
    /// `FileSystem.rename`.
    case rename
    /// `FileSystem.link`.
    case link
    /// `FileSystem.remove`.
    case remove
    /// `FileSystem.information`, `FileSystem.capacity` and `File.size`.
    case examine
    /// `FileSystem.synchronizeDirectory`.
    case synchronizeDirectory
    /// `FileSystem.synchronizeVolume`. A failed one drops the dirty pages of some files, whose own next sync then
    /// fails, too.
    case synchronizeVolume
    /// `FileSystem.lock`.
    case lock
    /// A commit of something that is no file, by `SimulatedProcess.commit`.
    case commit
}

/// An error that a simulated machine is to produce.
public struct SimulatedFault: Sendable {
    /// When a fault strikes, among the calls that it is for.
    public enum Occasion: Sendable {
        /// Once, at the n-th call from the injection (1 is the next).
        case call(Int)
        /// At the n-th call and at every one after it.
        case from(Int)
        /// At each call with a probability between 0 and 1.
        case probability(Double)
    }

    /// What the caller gets.
    public let code: MachineError.Code
    /// The operations that it strikes.
    public let operations: Set<SimulatedOperation>
    /// If not nil, it strikes only paths that contain this text.
    public let path: String?
    /// When it strikes.
    public let occasion: Occasion

    /// Describes a fault.
    public init(
        _ code: MachineError.Code, at operations: Set<SimulatedOperation>, path: String? = nil, _ occasion: Occasion
    ) {
        self.code = code
        self.operations = operations
        self.path = path
        self.occasion = occasion
    }
}

/// A fault with the number of calls it has seen.
struct ArmedFault {
    let fault: SimulatedFault
    private var seen = 0

    init(_ fault: SimulatedFault) {
        self.fault = fault
    }

    /// Whether the fault strikes this call.
    mutating func strikes(_ operation: SimulatedOperation, _ path: String, _ random: inout SeededGenerator) -> Bool {
        guard fault.operations.contains(operation) else { return false }
        if let part = fault.path, !path.contains(part) { return false }
        seen += 1
        switch fault.occasion {
        case .call(let number): return seen == number
        case .from(let number): return seen >= number
        case .probability(let probability): return random.chance(probability)
        }
    }
}
