public import KafkaWire
public import Machine

/// Where the view of one partition stands: `DATA/views/<topic id>/<partition>/`, with `manifests` and `blocks` in it.
/// The topic's id, not its name: a later topic of the same name never meets what an earlier one left.
public struct ViewDirectory: Sendable, Equatable {
    /// The topic's id.
    public let topicID: Uuid
    /// The partition's index.
    public let partition: Int32
    /// 0, and one more with each time that the view was rebuilt.
    public let generation: Int
    /// `DATA/views/<topic id>/<partition>`, and `.<generation>` from 1 on.
    public let path: String

    /// The place of one generation of a view in a data directory.
    public init(data: String, topicID: Uuid, partition: Int32, generation: Int = 0) {
        self.topicID = topicID
        self.partition = partition
        self.generation = generation
        path = Self.topic(data: data, topicID) + "/\(partition)" + (generation == 0 ? "" : ".\(generation)")
    }

    /// The place of a view by its directory's name, `<partition>` or `<partition>.<generation>`; nil for another name.
    init?(data: String, topicID: Uuid, named name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let partition = Int32(parts[0]), partition >= 0,
            let generation = parts.count == 1 ? 0 : Int(parts[1]), generation > 0 || parts.count == 1
        else { return nil }
        self.init(data: data, topicID: topicID, partition: partition, generation: generation)
    }

    /// `DATA/views`.
    public static func all(data: String) -> String { data + "/views" }

    /// `DATA/views/<topic id>`.
    public static func topic(data: String, _ id: Uuid) -> String { all(data: data) + "/" + id.description }

    /// Where the manifests stand.
    public var manifests: String { path + "/manifests" }
    /// Where the blocks stand.
    public var blocks: String { path + "/blocks" }
}

/// A rebuilt view grows in the place of the next generation, and takes over by a file `live` in it: one entry of one
/// directory, so that a crash leaves the old view or the new one.
extension ViewDirectory {
    private static let marker = "/live"

    /// The place of the generation that readers see; every other one of the partition is removed.
    ///
    /// - Throws: `.storage`.
    public static func live(
        data: String, topicID: Uuid, partition: Int32, files: any FileSystem
    ) throws(ViewError) -> ViewDirectory {
        let first = ViewDirectory(data: data, topicID: topicID, partition: partition)
        let folder = topic(data: data, topicID)
        do {
            guard try files.information(at: folder) != nil else { return first }
            let places = try files.contents(ofDirectory: folder)
                .compactMap { ViewDirectory(data: data, topicID: topicID, named: $0) }
                .filter { $0.partition == partition && $0.generation > 0 }
            var live = first
            for place in places.sorted(by: { $0.generation < $1.generation }) {
                if try files.information(at: place.path + marker) != nil { live = place }
            }
            for place in places + [first] where place != live { try files.remove(place.path) }
            return live
        } catch {
            throw ViewError("cannot look for the views in \(folder)", error)
        }
    }

    /// Lets this generation be the one that the next start finds.
    func takeOver(_ files: any FileSystem) throws(ViewError) {
        do {
            // The directory itself must be found before what stands in it counts.
            try files.synchronizeDirectory(String(path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex)))
            let file = try files.open(path + Self.marker, .readWriteCreate)
            defer { file.close() }
            try file.synchronize()
            try files.synchronizeDirectory(path)
        } catch {
            throw ViewError("cannot let \(path) take over", error)
        }
    }
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
