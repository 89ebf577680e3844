/// A broken promise.
package struct SimulationFailure: Error, CustomStringConvertible {
    /// Which one, and how.
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Ends a simulation that finds a promise broken.
package func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw SimulationFailure(message()) }
}
