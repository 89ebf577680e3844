import CSnappy

/// Snappy by the system's library: raw blocks, and the frames of snappy-java that Java and Python clients write:
/// 0x82 `SNAPPY` 0x00, an int32 version and an int32 oldest compatible version, then blocks, each behind its int32
/// length, big-endian.
enum Snappy {
    private static let frameMagic: [UInt8] = [0x82, 0x53, 0x4E, 0x41, 0x50, 0x50, 0x59, 0x00]
    private static let frameHeaderBytes = 16
    /// A copy of 3 bytes gives at most 64: what is announced beyond this ratio is a lie.
    private static let largestRatio = 22

    /// Writes a raw block, as librdkafka does; every client reads it.
    static func compress(_ bytes: UnsafeRawBufferPointer, into writer: inout ByteWriter) throws(BytesError) {
        try writer.write(atMost: snappy_max_compressed_length(bytes.count)) { room throws(BytesError) in
            var count = room.count
            let status = snappy_compress(
                bytes.bindMemory(to: CChar.self).baseAddress, bytes.count,
                room.bindMemory(to: CChar.self).baseAddress, &count)
            guard status == SNAPPY_OK else { throw .compressed(.snappy, "compression failed") }
            return count
        }
    }

    static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int, into writer: inout ByteWriter
    ) throws(BytesError) {
        var budget = DecompressionBudget(.snappy, limit: limit)
        guard bytes.starts(with: frameMagic) else { return try block(bytes, &budget, &writer) }
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            if bytes[reader.position...].starts(with: frameMagic) {
                try reader.skip(frameHeaderBytes)
                continue
            }
            let length = Int(try reader.int32())
            try block(try reader.slice(length), &budget, &writer)
        }
    }

    private static func block(
        _ bytes: UnsafeRawBufferPointer, _ budget: inout DecompressionBudget, _ writer: inout ByteWriter
    ) throws(BytesError) {
        let input = bytes.bindMemory(to: CChar.self)
        var length = 0
        guard snappy_uncompressed_length(input.baseAddress, input.count, &length) == SNAPPY_OK else {
            throw .compressed(.snappy, "no length at the start of a block")
        }
        try budget.add(length)
        guard length <= bytes.count * largestRatio else {
            throw .compressed(.snappy, "\(bytes.count) bytes announce \(length)")
        }
        try writer.write(atMost: length) { room throws(BytesError) in
            var count = room.count
            let output = room.bindMemory(to: CChar.self).baseAddress
            guard snappy_uncompress(input.baseAddress, input.count, output, &count) == SNAPPY_OK, count == length else {
                throw .compressed(.snappy, "a corrupt block")
            }
            return count
        }
    }
}
