import Storage
import Synchronization

/// Producer ids, given out from blocks that are taken from the metadata store, so that none is ever given out twice.
final class ProducerIDs: Sendable {
    static let key = "log/next-producer-id"
    /// Ids per block, as in Kafka; what is left of a block is lost with the process.
    static let blockSize: Int64 = 1_000

    private let metadata: any MetadataStore
    private let block = Mutex<Range<Int64>>(0..<0)

    init(metadata: any MetadataStore) {
        self.metadata = metadata
    }

    func next() throws(LogError) -> Int64 {
        try block.withLock { block throws(LogError) in
            if block.isEmpty { block = try takeBlock() }
            defer { block = block.lowerBound + 1..<block.upperBound }
            return block.lowerBound
        }
    }

    /// The first id of the next block, as the metadata store has it: eight bytes, the most significant first.
    static func decode(_ value: [UInt8]) -> Int64 { value.prefix(8).reduce(0) { $0 << 8 | Int64($1) } }

    static func encode(_ next: Int64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: next >> Int64(56 - 8 * $0)) }
    }

    private func takeBlock() throws(LogError) -> Range<Int64> {
        do {
            let entry = try metadata.get(Self.key)
            let start = entry.map { Self.decode($0.value) } ?? 0
            let end = start + Self.blockSize
            try metadata.commit([.put(key: Self.key, value: Self.encode(end), expected: entry?.version)])
            return start..<end
        } catch {
            throw LogError(metadata: "cannot take producer ids", error)
        }
    }
}
