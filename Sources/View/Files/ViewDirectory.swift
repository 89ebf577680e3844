public import KafkaWire
import Machine

/// Where the view of one partition stands: `DATA/views/<topic id>/<partition>/`, with `manifests` and `blocks` in it.
/// The topic's id, not its name: a later topic of the same name never meets what an earlier one left.
public struct ViewDirectory: Sendable, Equatable {
    /// The topic's id.
    public let topicID: Uuid
    /// The partition's index.
    public let partition: Int32
    /// `DATA/views/<topic id>/<partition>`, or the place beside it where a rebuilt view grows.
    public let path: String

    /// The view's place in a data directory.
    ///
    /// - Parameter isRebuilt: whether this is the place beside the live one, where it is rebuilt.
    public init(data: String, topicID: Uuid, partition: Int32, isRebuilt: Bool = false) {
        self.topicID = topicID
        self.partition = partition
        path = Self.topic(data: data, topicID) + "/\(partition)" + (isRebuilt ? Self.rebuiltSuffix : "")
    }

    /// What the name of a rebuilt view's directory ends with.
    static let rebuiltSuffix = ".rebuilt"

    /// `DATA/views`.
    public static func all(data: String) -> String { data + "/views" }

    /// `DATA/views/<topic id>`.
    public static func topic(data: String, _ id: Uuid) -> String { all(data: data) + "/" + id.description }

    /// Where the manifests stand.
    public var manifests: String { path + "/manifests" }
    /// Where the blocks stand.
    public var blocks: String { path + "/blocks" }
}

/// Numbers in file names: 20 digits, so that names sort as numbers do.
enum NumberedFile {
    static let manifest = ".manifest"
    static let block = ".block"
    static let unfinished = ".unfinished"

    static func name(_ number: UInt64, _ suffix: String) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 20 - digits.count) + digits + suffix
    }

    /// The number in a name of this kind; nil for every other name.
    static func number(of name: String, _ suffix: String) -> UInt64? {
        guard name.utf8.count == 20 + suffix.utf8.count, name.hasSuffix(suffix) else { return nil }
        return UInt64(name.dropLast(suffix.utf8.count))
    }
}

extension ViewError {
    /// A failed file operation.
    init(_ message: String, _ cause: MachineError) {
        self.init(cause.code == .noSpace ? .noSpace : .storage, message, cause: cause)
    }
}
