import Synchronization

/// A number of results that come one by one, in any order and from any thread. Whoever brings the last one hands all of
/// them on.
final class Gathering<Value: Sendable>: Sendable {
    private struct State: Sendable {
        var values: [Value?]
        var missing: Int
    }

    private let state: Mutex<State>
    private let complete: @Sendable ([Value]) -> Void

    /// Waits for `count` results, at least one.
    init(_ count: Int, complete: @escaping @Sendable ([Value]) -> Void) {
        state = Mutex(State(values: Array(repeating: nil, count: count), missing: count))
        self.complete = complete
    }

    /// One result; each place is given once.
    func put(_ value: Value, at index: Int) {
        let values = state.withLock { state -> [Value]? in
            state.values[index] = value
            state.missing -= 1
            return state.missing == 0 ? state.values.compactMap(\.self) : nil
        }
        if let values { complete(values) }
    }
}
