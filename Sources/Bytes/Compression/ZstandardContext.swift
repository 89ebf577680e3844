internal import CZstd

/// Zstandard for many small pieces: the library's contexts, a hundred kilobytes and more each, are kept between calls.
/// One thread at a time uses it.
package final class ZstandardContext {
    private let compression: OpaquePointer
    private let decompression: OpaquePointer

    /// Nil if there is no memory.
    package init?() {
        guard let compression = ZSTD_createCCtx() else { return nil }
        guard let decompression = ZSTD_createDCtx() else {
            ZSTD_freeCCtx(compression)
            return nil
        }
        (self.compression, self.decompression) = (compression, decompression)
    }

    deinit {
        ZSTD_freeCCtx(compression)
        ZSTD_freeDCtx(decompression)
    }

    /// Appends a frame.
    package func compress(
        _ bytes: UnsafeRawBufferPointer, level: Int, into writer: inout ByteWriter
    ) throws(BytesError) {
        try writer.write(atMost: ZSTD_compressBound(bytes.count)) { room throws(BytesError) in
            let written = ZSTD_compressCCtx(
                compression, room.baseAddress, room.count, bytes.baseAddress, bytes.count, Int32(level))
            guard ZSTD_isError(written) == 0 else {
                throw .compressed(.zstd, String(cString: ZSTD_getErrorName(written)))
            }
            return written
        }
    }

    /// Fills `target` from a frame, which must have exactly so many bytes in it.
    package func decompress(
        _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(BytesError) {
        let count = ZSTD_decompressDCtx(
            decompression, target.baseAddress, target.count, bytes.baseAddress, bytes.count)
        guard ZSTD_isError(count) == 0 else {
            throw .compressed(.zstd, String(cString: ZSTD_getErrorName(count)))
        }
        guard count == target.count else { throw .compressed(.zstd, "\(count) bytes instead of \(target.count)") }
    }
}
