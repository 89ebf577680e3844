import Synchronization

/// A result that comes once and that any number of tasks may await. Whoever is cancelled stops waiting; the result
/// itself is not affected.
final class Completion<Value: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Result<Value, KafkaClientError>, Never>

    private struct State {
        var result: Result<Value, KafkaClientError>?
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    /// Gives the result; only the first one counts.
    func complete(_ result: Result<Value, KafkaClientError>) {
        let waiters = state.withLock { state -> [Int: Waiter] in
            guard state.result == nil else { return [:] }
            state.result = result
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(returning: result) }
    }

    /// The result, if it is there.
    var result: Result<Value, KafkaClientError>? { state.withLock { $0.result } }

    /// Waits for the result. Throws with code `.cancelled` when the task is cancelled first.
    func value() async throws(KafkaClientError) -> Value {
        if let result { return try result.get() }
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in wait(waiter, number: number) }
        } onCancel: {
            cancel(number)
        }
        return try result.get()
    }

    private func wait(_ waiter: Waiter, number: Int) {
        let early = state.withLock { state -> Result<Value, KafkaClientError>? in
            if let result = state.result { return result }
            // A cancellation that came before this call left no trace; it is looked up here, under the same lock
            // under which a later one would find the waiter.
            if Task.isCancelled { return .failure(Self.cancelled) }
            state.waiters[number] = waiter
            return nil
        }
        if let early { waiter.resume(returning: early) }
    }

    private func cancel(_ number: Int) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
        waiter?.resume(returning: .failure(Self.cancelled))
    }

    private static var cancelled: KafkaClientError { KafkaClientError(.cancelled, "the waiting task was cancelled") }
}
