import Bytes
import KafkaWire

/// Configs as the metadata store keeps them: how many, then name and value of each, by name.
extension ByteWriter {
    mutating func write(configs: [String: String]) {
        writeArrayCount(configs.count, compact: true)
        for (name, value) in configs.sorted(by: { $0.key < $1.key }) {
            write(name, compact: true)
            write(value, compact: true)
        }
    }
}

extension ByteReader {
    mutating func configs() throws(BytesError) -> [String: String] {
        var configs: [String: String] = [:]
        for _ in 0..<(try arrayCount(compact: true, minimumElementBytes: 2)) {
            let name = try string(compact: true)
            configs[name] = try string(compact: true)
        }
        return configs
    }
}
