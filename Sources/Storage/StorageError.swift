/// Why a store refused or failed.
public struct StorageError: Error, Sendable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable, CaseIterable {
        /// A key's version is not the expected one; read again and decide anew.
        case conflict
        /// The caller broke a bound of `MetadataLimits`.
        case invalid
        /// Another process has the store open.
        case busy
        /// What is stored does not verify, or is no store at all.
        case corrupt
        /// The file system is full. Nothing changed.
        case full
        /// The device failed. The outcome of a commit is unknown until the store is opened anew.
        case device
        /// Not permitted, or the path cannot be opened.
        case denied
        /// A newer version of Millrace wrote the store.
        case formatTooNew
        /// The store is closed.
        case closed
        /// Anything else.
        case other
    }

    /// The coarse reason.
    public let code: Code
    /// What failed, for a person.
    public let message: String
    /// The key it is about, if it is about one.
    public let key: String?
    /// The error that led to this one.
    public let cause: (any Error)?

    /// Assembles an error.
    public init(_ code: Code, _ message: String, key: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.key = key
        self.cause = cause
    }

    /// "CODE: MESSAGE [KEY] (CAUSE)".
    public var description: String {
        "\(code): \(message)\(key.map { " [\($0)]" } ?? "")\(cause.map { " (\($0))" } ?? "")"
    }

    static func conflict(_ change: MetadataChange, found: Int64?) -> StorageError {
        func text(_ version: Int64?) -> String { version.map { "version \($0)" } ?? "absence" }
        return StorageError(
            .conflict, "expected \(text(change.expected)), found \(text(found))", key: change.key)
    }
}
