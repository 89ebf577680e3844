import Bytes
import KafkaWire

/// A topic as the metadata store keeps it, under `topics/<name>`.
struct TopicRecord: Sendable, Equatable {
    static let prefix = "topics/"
    private static let version: UInt16 = 1

    let name: String
    let id: Uuid
    let partitionCount: Int32
    let configs: [String: String]

    var key: String { Self.prefix + name }

    init(name: String, id: Uuid, partitionCount: Int32, configs: [String: String]) {
        self.name = name
        self.id = id
        self.partitionCount = partitionCount
        self.configs = configs
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.version)
        id.encode(into: &writer)
        writer.write(partitionCount)
        writer.write(configs: configs)
        return writer.array()
    }

    init(key: String, decoding bytes: [UInt8]) throws(LogError) {
        do {
            self = try bytes.withBytes { bytes throws(BytesError) in
                var reader = ByteReader(bytes)
                let version = try reader.uint16()
                guard version == Self.version else {
                    throw BytesError(code: .malformed, message: "version \(version)")
                }
                let id = try Uuid(decoding: &reader)
                let partitionCount = try reader.int32()
                return TopicRecord(
                    name: String(key.dropFirst(Self.prefix.count)), id: id, partitionCount: partitionCount,
                    configs: try reader.configs())
            }
        } catch {
            throw LogError(.metadata, "the metadata entry \(key) does not parse", cause: error)
        }
    }
}
