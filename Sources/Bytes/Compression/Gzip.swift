import CZlib

/// gzip by the system's zlib.
enum Gzip {
    /// 32 KiB window, gzip wrapper.
    private static let windowBits: Int32 = 15 + 16

    static func compress(_ bytes: UnsafeRawBufferPointer, into writer: inout ByteWriter) throws(BytesError) {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        guard deflateInit2_(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, windowBits, 8, 0, ZLIB_VERSION, size) == Z_OK
        else { throw .compressed(.gzip, "no memory") }
        defer { deflateEnd(&stream) }
        stream.give(bytes)
        try writer.write(atMost: Int(deflateBound(&stream, UInt(bytes.count)))) { room throws(BytesError) in
            stream.take(room)
            guard deflate(&stream, Z_FINISH) == Z_STREAM_END else { throw .compressed(.gzip, "deflate failed") }
            return room.count - Int(stream.avail_out)
        }
    }

    static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int, windowBits: Int32 = windowBits, into writer: inout ByteWriter
    ) throws(BytesError) {
        var stream = z_stream()
        guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .compressed(.gzip, "no memory")
        }
        defer { inflateEnd(&stream) }
        stream.give(bytes)
        var budget = DecompressionBudget(.gzip, limit: limit)
        while true {
            let status = try step(&stream, &budget, &writer)
            if status == Z_STREAM_END {
                // A file may have several members, one after the other.
                if stream.avail_in == 0 { return }
                guard inflateReset(&stream) == Z_OK else { throw .compressed(.gzip, "reset failed") }
            } else if status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0) {
                throw .unfinished(.gzip)
            } else if status != Z_OK {
                throw .compressed(.gzip, stream.msg.map { String(cString: $0) } ?? "status \(status)")
            }
        }
    }

    private static func step(
        _ stream: inout z_stream, _ budget: inout DecompressionBudget, _ writer: inout ByteWriter
    ) throws(BytesError) -> Int32 {
        var status: Int32 = Z_OK
        let before = writer.count
        writer.write(atMost: budget.room) { room in
            stream.take(room)
            status = inflate(&stream, Z_NO_FLUSH)
            return room.count - Int(stream.avail_out)
        }
        try budget.add(writer.count - before)
        return status
    }
}

/// Deflate without gzip's frame, as HTTP's content coding has it: with zlib's frame (RFC 1950), as the standard says, or
/// bare (RFC 1951), as Go's clients and others send it.
public enum Deflate {
    /// Appends `bytes` decompressed.
    ///
    /// - Throws: as `Compression.decompress`.
    public static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int, into writer: inout ByteWriter
    ) throws(BytesError) {
        // The first two bytes of zlib's frame name the method, and are a multiple of 31 together.
        let isFramed =
            bytes.count >= 2 && bytes[0] & 0x0F == 8 && (UInt16(bytes[0]) << 8 | UInt16(bytes[1])).isMultiple(of: 31)
        try Gzip.decompress(bytes, limit: limit, windowBits: isFramed ? 15 : -15, into: &writer)
    }
}

extension z_stream {
    /// Sets the input. zlib counts in 32 bits; a batch never has as much.
    fileprivate mutating func give(_ bytes: UnsafeRawBufferPointer) {
        let input = bytes.bindMemory(to: UInt8.self)
        // Safe because zlib does not write through `next_in`.
        next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        avail_in = UInt32(input.count)
    }

    /// Sets the output.
    fileprivate mutating func take(_ room: UnsafeMutableRawBufferPointer) {
        let output = room.bindMemory(to: UInt8.self)
        next_out = output.baseAddress
        avail_out = UInt32(output.count)
    }
}
