/// Something an operator should know, in one line. The composition root gives these to the logger.
public struct LogEvent: Sendable, Equatable {
    /// How bad it is.
    public enum Severity: Sendable, Equatable {
        /// For the record.
        case notice
        /// Something was lost, set aside or refused.
        case warning
        /// A partition stopped serving in part or whole.
        case error
    }

    /// How bad it is.
    public let severity: Severity
    /// The topic and partition, "name-0"; empty if it concerns the whole log.
    public let partition: String
    /// What happened, with file and byte position where there is one.
    public let message: String
}
