import Glibc

/// A failed operation on a file: what was tried, on which path, and why it failed.
public struct MachineError: Error, Sendable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable {
        /// Nothing stands at the path.
        case notFound
        /// Something already stands at the path.
        case exists
        /// The file system is full, or a quota is reached (ENOSPC, EDQUOT).
        case noSpace
        /// The device failed (EIO).
        case device
        /// The process or the system has no descriptor left (EMFILE, ENFILE).
        case tooManyFiles
        /// Not permitted (EACCES, EPERM, EROFS).
        case denied
        /// Another process holds the lock.
        case locked
        /// Anything else; `errorNumber` tells.
        case other
    }

    /// The coarse reason.
    public let code: Code
    /// The operation, in the imperative: "open", "write", "synchronize".
    public let operation: String
    /// The path it was tried on.
    public let path: String
    /// The operating system's `errno`; 0 if none was involved.
    public let errorNumber: Int32

    /// Assembles an error.
    public init(code: Code, operation: String, path: String, errorNumber: Int32 = 0) {
        self.code = code
        self.operation = operation
        self.path = path
        self.errorNumber = errorNumber
    }

    /// An error from the operating system's `errno`.
    public init(errorNumber: Int32, operation: String, path: String) {
        self.init(
            code: Code(errorNumber: errorNumber), operation: operation, path: path, errorNumber: errorNumber)
    }

    /// "cannot OPERATION PATH: REASON (errno NUMBER)".
    public var description: String {
        let number = errorNumber == 0 ? "" : " (errno \(errorNumber))"
        return "cannot \(operation) \(path): \(reason)\(number)"
    }

    private var reason: String {
        if code == .locked { return "another process holds the lock" }
        guard errorNumber != 0 else { return "\(code)" }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            // The POSIX variant: 0 is success, and the text stands in the buffer.
            guard let start = buffer.baseAddress, strerror_r(errorNumber, start, buffer.count) == 0 else {
                return "\(code)"
            }
            return String(cString: start)
        }
    }
}

extension MachineError.Code {
    /// The coarse reason behind an `errno`.
    public init(errorNumber: Int32) {
        self =
            switch errorNumber {
            case ENOENT, ENOTDIR: .notFound
            case EEXIST, ENOTEMPTY: .exists
            case ENOSPC, EDQUOT: .noSpace
            case EIO: .device
            case EMFILE, ENFILE: .tooManyFiles
            case EACCES, EPERM, EROFS: .denied
            default: .other
            }
    }
}
