import Synchronization

/// Whether this process may be sent work, and if not, why. One writer (the composition root), any number of readers.
public final class Readiness: Sendable {
    /// What `/readyz` answers.
    public enum State: Sendable, Equatable {
        /// 200.
        case ready
        /// 503, with the reason in the body: "recovering the log", "stopping".
        case notReady(String)
    }

    private let current: Mutex<State>

    /// Not ready, for `reason`.
    public init(notReady reason: String) {
        current = Mutex(.notReady(reason))
    }

    /// The state now.
    public var state: State {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}
