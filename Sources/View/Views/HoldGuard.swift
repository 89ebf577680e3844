import Log
import Synchronization

/// What the views of one partition need of its log: the live one, and one that is being rebuilt beside it.
final class HoldGuard: Sendable {
    private struct State: Sendable {
        var liveGeneration: Int
        var covered: Int64
        /// Where the replay of a rebuilt view began; nil if none is rebuilt.
        var kept: Int64?
    }

    let partition: Partition
    private let limitBytes: Int64
    private let state: Mutex<State>

    init(_ partition: Partition, liveGeneration: Int, covered: Int64, limitBytes: Int64) {
        self.partition = partition
        self.limitBytes = limitBytes
        state = Mutex(State(liveGeneration: liveGeneration, covered: covered))
    }

    /// Whether readers see this generation.
    func isLive(_ generation: Int) -> Bool { state.withLock { $0.liveGeneration == generation } }

    /// A generation has committed a manifest.
    func covered(_ offset: Int64, by generation: Int) throws(LogError) {
        try change { state in
            if state.liveGeneration == generation { state.covered = offset }
        }
    }

    /// Keeps the log from `offset` on as long as a view is rebuilt; nil when that is over.
    func keep(from offset: Int64?) throws(LogError) {
        try change { $0.kept = offset }
    }

    /// A rebuilt generation is the live one.
    func takeOver(_ generation: Int, covered: Int64) throws(LogError) {
        try change { $0 = State(liveGeneration: generation, covered: covered) }
    }

    private func change(_ body: (inout State) -> Void) throws(LogError) {
        try state.withLock { state throws(LogError) in
            body(&state)
            try partition.hold(from: state.covered, keeping: state.kept, limitBytes: limitBytes)
        }
    }
}
