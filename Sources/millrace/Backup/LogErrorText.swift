import Log

extension LogError {
    /// What failed and why, for a person.
    var text: String { message + (cause.map { ": \($0)" } ?? "") }
}
