import CZstd
import Synchronization

/// Zstandard by the system's library.
enum Zstandard {
    private static let level: Int32 = 3
    /// The largest window that is decoded, as a power of two: 128 MiB, what level 22 uses.
    private static let windowLogLimit: Int32 = 27

    static func compress(_ bytes: UnsafeRawBufferPointer, into writer: inout ByteWriter) throws(BytesError) {
        try writer.write(atMost: ZSTD_compressBound(bytes.count)) { room throws(BytesError) in
            let written = ZSTD_compress(room.baseAddress, room.count, bytes.baseAddress, bytes.count, level)
            guard ZSTD_isError(written) == 0 else { throw failure(written) }
            return written
        }
    }

    static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int, into writer: inout ByteWriter
    ) throws(BytesError) {
        let decoder = try decoders.take()
        defer { decoders.give(back: decoder) }
        let context = decoder.context
        var budget = DecompressionBudget(.zstd, limit: limit)
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        // What the library expects next: 0 at the end of a frame.
        var hint = 1
        var isFull = false
        while input.pos < input.size || (isFull && hint != 0) {
            let before = writer.count
            try writer.write(atMost: budget.room) { room throws(BytesError) in
                var output = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                hint = ZSTD_decompressStream(context, &output, &input)
                guard ZSTD_isError(hint) == 0 else { throw failure(hint) }
                isFull = output.pos == output.size
                return output.pos
            }
            try budget.add(writer.count - before)
        }
        guard hint == 0 else { throw .unfinished(.zstd) }
    }

    private static let decoders = DecoderPool()

    /// Contexts of the library that nobody uses at the moment. Making one costs more than decompressing a few KiB.
    private final class DecoderPool: Sendable {
        /// Safe because one caller at a time has it.
        struct Decoder: @unchecked Sendable {
            let context: OpaquePointer
        }

        /// As many as there are threads that decompress at a time, usually.
        private static let maximumIdle = 8
        /// A context is about 160 KB; one that had to keep a window for a long stream is not kept.
        private static let maximumBytes = 512 << 10
        private let idle = Mutex<[Decoder]>([])

        func take() throws(BytesError) -> Decoder {
            if let decoder = idle.withLock({ $0.popLast() }) { return decoder }
            guard let context = ZSTD_createDCtx() else { throw .compressed(.zstd, "no memory") }
            _ = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLogLimit)
            return Decoder(context: context)
        }

        func give(back decoder: Decoder) {
            // Whatever state an error left goes.
            let isSound = ZSTD_isError(ZSTD_DCtx_reset(decoder.context, ZSTD_reset_session_only)) == 0
            let isKept =
                isSound && ZSTD_sizeof_DCtx(decoder.context) <= Self.maximumBytes
                && idle.withLock { idle in
                    guard idle.count < Self.maximumIdle else { return false }
                    idle.append(decoder)
                    return true
                }
            if !isKept { ZSTD_freeDCtx(decoder.context) }
        }
    }

    private static func failure(_ code: Int) -> BytesError {
        .compressed(.zstd, String(cString: ZSTD_getErrorName(code)))
    }
}
