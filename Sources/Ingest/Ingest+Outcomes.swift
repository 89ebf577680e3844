import Log
import View

extension Ingest {
    /// What errors of the log and of the view mean for a writer.
    func outcome(of error: any Error) -> WriteOutcome {
        switch error {
        case let error as LogError: outcome(of: error)
        case let error as ViewError: outcome(of: error)
        default: .failed("\(error)")
        }
    }

    private func outcome(of error: LogError) -> WriteOutcome {
        switch error.code {
        case .unknownTopic: .databaseNotFound
        case .noSpace, .overloaded, .closed, .viewBehind: .busy(error.message)
        default: .failed(error.message)
        }
    }

    private func outcome(of error: ViewError) -> WriteOutcome {
        switch error.code {
        case .noSpace, .holdFull, .limitReached, .timedOut, .closed, .conflict: .busy(error.message)
        // The topic went while the points were being applied.
        case .unknown: .databaseNotFound
        case .storage, .damaged, .formatTooNew: .failed(error.message)
        }
    }

    /// Counts an outcome on its way out.
    func count(_ outcome: WriteOutcome) -> WriteOutcome {
        figures.count(outcome)
        return outcome
    }
}
