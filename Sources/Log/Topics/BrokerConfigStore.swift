import Bytes
import KafkaWire
public import Storage

/// The configs of brokers that were changed while they ran, as the metadata store keeps them: docs/formats/metadata.md.
/// What the configs mean is not known here.
public struct BrokerConfigStore: Sendable {
    /// For whom a config was changed.
    public enum Scope: Sendable, Hashable, CaseIterable {
        /// Every broker of the cluster.
        case everyBroker
        /// This broker, which wins over `everyBroker`.
        case thisBroker
    }

    private static let version: UInt16 = 1
    private let metadata: any MetadataStore
    private let nodeID: Int32

    /// The store of the broker with this id.
    public init(metadata: any MetadataStore, nodeID: Int32) {
        self.metadata = metadata
        self.nodeID = nodeID
    }

    /// What was stored.
    ///
    /// - Throws: `.metadata`.
    public func load(_ scope: Scope) throws(LogError) -> [String: String] {
        let key = key(scope)
        let entry: MetadataEntry?
        do {
            entry = try metadata.get(key)
        } catch {
            throw LogError(.metadata, "cannot read \(key)", cause: error)
        }
        guard let entry else { return [:] }
        do {
            return try Self.decode(entry.value)
        } catch {
            throw LogError(.metadata, "the metadata entry \(key) does not parse", cause: error)
        }
    }

    /// Stores `configs` in the place of what was stored, durably.
    ///
    /// - Throws: `.noSpace`; `.metadata`, and a restart may then show either.
    public func store(_ configs: [String: String], _ scope: Scope) throws(LogError) {
        let key = key(scope)
        do {
            let expected = try metadata.get(key)?.version
            if !configs.isEmpty {
                try metadata.commit([.put(key: key, value: Self.encode(configs), expected: expected)])
            } else if let expected {
                try metadata.commit([.remove(key: key, expected: expected)])
            }
        } catch {
            throw LogError(metadata: "cannot store \(key)", error)
        }
    }

    private func key(_ scope: Scope) -> String {
        switch scope {
        case .everyBroker: "broker-configs/default"
        case .thisBroker: "broker-configs/\(nodeID)"
        }
    }

    static func encode(_ configs: [String: String]) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(version)
        writer.write(configs: configs)
        return writer.array()
    }

    static func decode(_ bytes: [UInt8]) throws(BytesError) -> [String: String] {
        try bytes.withBytes { bytes throws(BytesError) in
            var reader = ByteReader(bytes)
            let found = try reader.uint16()
            guard found == version else { throw BytesError(code: .malformed, message: "version \(found)") }
            return try reader.configs()
        }
    }
}
