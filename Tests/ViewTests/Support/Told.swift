import Synchronization
import View

/// What those who waited were told.
final class Told: Sendable {
    private let results = Mutex<[Result<AppliedOutcome, ViewError>]>([])

    func note(_ result: Result<AppliedOutcome, ViewError>) { results.withLock { $0.append(result) } }

    var outcomes: [AppliedOutcome?] { results.withLock { $0.map { try? $0.get() } } }

    var codes: [ViewError.Code] {
        results.withLock { results in
            results.compactMap { result in
                guard case .failure(let error) = result else { return nil }
                return error.code
            }
        }
    }
}

extension Told {
    /// Lines for an operator.
    final class Lines: Sendable {
        private let lines = Mutex<[String]>([])

        func note(_ line: String) { lines.withLock { $0.append(line) } }

        var all: [String] { lines.withLock { $0 } }
    }
}
