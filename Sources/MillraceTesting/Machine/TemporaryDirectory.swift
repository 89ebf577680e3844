import Machine

/// A directory of the real file system, removed with everything in it when the object goes.
public final class TemporaryDirectory: Sendable {
    /// Where it is.
    public let path: String

    /// Creates a directory with a random name in `/tmp`.
    public init(_ purpose: String = "test") throws {
        path = "/tmp/millrace-\(purpose)-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        try Machine.posix().files.createDirectory(path)
    }

    deinit { try? Machine.posix().files.remove(path) }
}
