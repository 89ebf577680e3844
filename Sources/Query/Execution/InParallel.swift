internal import Synchronization

/// Lets several tasks take numbered pieces of work in turn, each with a state of its own.
///
/// - Returns: the states; at least one.
/// - Throws: the first failure, which cancels the others.
func inParallel<State: Sendable>(
    _ pieces: Int, _ control: QueryControl, make: () -> State,
    work: @escaping @Sendable (inout State, Int) async throws(QueryError) -> Void
) async throws(QueryError) -> [State] {
    let turn = PieceTurn()
    let outcomes = await withTaskGroup(of: Result<State, QueryError>.self) { group in
        for _ in 0..<max(1, min(control.limits.parallelism, pieces)) {
            let fresh = make()
            group.addTask {
                var state = fresh
                do throws(QueryError) {
                    while let index = turn.next(below: pieces) { try await work(&state, index) }
                    return .success(state)
                } catch {
                    control.cancel()
                    return .failure(error)
                }
            }
        }
        var outcomes: [Result<State, QueryError>] = []
        for await outcome in group { outcomes.append(outcome) }
        return outcomes
    }
    var (states, failures) = ([State](), [QueryError]())
    for outcome in outcomes {
        switch outcome {
        case .success(let state): states.append(state)
        case .failure(let error): failures.append(error)
        }
    }
    // A failure cancels the others; theirs is not the reason.
    if let failure = failures.first(where: { $0.code != .cancelled }) ?? failures.first { throw failure }
    return states
}

/// Hands out numbers.
private final class PieceTurn: Sendable {
    private let value = Atomic(0)

    func next(below end: Int) -> Int? {
        let index = value.add(1, ordering: .relaxed).oldValue
        return index < end ? index : nil
    }
}
