public import Machine
import Synchronization

/// One process of a simulated machine, from its start to `crash()` or `cutPower()`.
public struct SimulatedProcess: Sendable {
    let world: SharedWorld
    let incarnation: Int

    /// Whether it still runs.
    public var isAlive: Bool {
        world.state.withLock { $0.isAlive(incarnation) }
    }

    /// Runs a commit that is durable at once: it counts as a `SimulatedOperation.commit`. If a fault or the end of the
    /// process strikes, the seed decides whether the commit happens (never if the disk is full); the caller gets the
    /// error either way.
    public func commit<Result>(_ path: String, _ body: () -> Result) throws(MachineError) -> Result {
        let call = Call(operation: .commit, name: "commit", path: path, incarnation: incarnation)
        let (error, happens) = world.state.withLock { world in
            let wasAlive = world.isAlive(incarnation)
            let error = world.begin(call)
            return (error, wasAlive && error?.code != .noSpace && world.random.coin())
        }
        if let error {
            if happens { _ = body() }
            throw error
        }
        return body()
    }
}
