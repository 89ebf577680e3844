// Produce (0), versions 0 to 2: message formats before record batches. Answered, not served; see 00_Produce.swift.

import Bytes
import KafkaWire

extension KafkaConnection {
    /// Answers UNSUPPORTED_VERSION for each partition, or closes the connection if no answer is wanted.
    func refuseOldProduce(_ reader: inout ByteReader, version: Int16) throws(WireError) -> Outcome {
        do throws(BytesError) {
            guard try reader.int16() != 0 else {
                return .closed(.unacknowledgedProduce, "Produce version \(version) with acks=0")
            }
            _ = try reader.int32()
            broker.instruments.countError(.produce, ErrorCode.unsupportedVersion.name)
            return .answered(.bytes(try refusal(&reader, version: version)))
        } catch {
            throw WireError(code: .malformedMessage, message: "ProduceRequest version \(version)", cause: error)
        }
    }

    /// `[name [index error base_offset (log_append_time since 2)]] (throttle_time since 1)`.
    private func refusal(_ reader: inout ByteReader, version: Int16) throws(BytesError) -> [UInt8] {
        var writer = ByteWriter()
        let topics = try reader.arrayCount(compact: false, minimumElementBytes: 6)
        writer.writeArrayCount(topics, compact: false)
        for _ in 0..<topics {
            writer.write(try reader.string(compact: false), compact: false)
            let partitions = try reader.arrayCount(compact: false, minimumElementBytes: 8)
            writer.writeArrayCount(partitions, compact: false)
            for _ in 0..<partitions {
                writer.write(try reader.int32())
                _ = try reader.nullableByteRange(compact: false)
                writer.write(ErrorCode.unsupportedVersion.rawValue)
                writer.write(Int64(-1))
                if version >= 2 { writer.write(Int64(-1)) }
            }
        }
        if version >= 1 { writer.write(Int32(0)) }
        return writer.array()
    }
}
