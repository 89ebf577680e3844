/// What `LogCheck` found.
public struct LogReport: Sendable, Equatable {
    /// One thing that is not as it should be.
    public struct Finding: Sendable, Equatable {
        /// What it means.
        public enum Severity: Sendable, Equatable {
            /// Worth knowing; nothing is lost.
            case notice
            /// Something that can be rebuilt is lost: an index, a snapshot, the checkpoint.
            case rebuildable
            /// Records are damaged or missing.
            case damage
        }

        /// What it means.
        public let severity: Severity
        /// The file or directory.
        public let path: String
        /// The byte position in the file, or nil if it is about the whole file.
        public let position: Int64?
        /// What is wrong.
        public let message: String
        /// What was done about it; nil if nothing.
        public var repair: String?

        /// "PATH at POSITION: MESSAGE; REPAIR".
        public var description: String {
            "\(path)\(position.map { " at \($0)" } ?? ""): \(message)\(repair.map { "; \($0)" } ?? "")"
        }
    }

    /// What is wrong, in the order of the files.
    public internal(set) var findings: [Finding] = []
    /// Partitions looked at.
    public internal(set) var partitions = 0
    /// Segments looked at.
    public internal(set) var segments = 0
    /// Sound batches.
    public internal(set) var batches: Int64 = 0
    /// Records in them.
    public internal(set) var records: Int64 = 0
    /// Bytes of segments looked at.
    public internal(set) var bytes: Int64 = 0

    /// Whether nothing but notices was found that was not repaired.
    public var isSound: Bool { findings.allSatisfy { $0.severity == .notice || $0.repair != nil } }

    /// Adds a finding: of `LogCheck`, or of whoever looks at what else stands in the data directory.
    public mutating func note(
        _ severity: Finding.Severity, _ path: String, at position: Int64? = nil, _ message: String,
        repair: String? = nil
    ) {
        findings.append(
            Finding(severity: severity, path: path, position: position, message: message, repair: repair))
    }
}
