import CLZ4

/// LZ4 frames by the system's library.
enum LZ4 {
    /// Independent blocks of 64 KiB: Java's client refuses dependent ones.
    private static var preferences: LZ4F_preferences_t {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.blockSizeID = LZ4F_max64KB
        return preferences
    }

    static func compress(_ bytes: UnsafeRawBufferPointer, into writer: inout ByteWriter) throws(BytesError) {
        var preferences = preferences
        let bound = LZ4F_compressFrameBound(bytes.count, &preferences)
        try writer.write(atMost: bound) { room throws(BytesError) in
            let written = LZ4F_compressFrame(room.baseAddress, room.count, bytes.baseAddress, bytes.count, &preferences)
            guard LZ4F_isError(written) == 0 else { throw failure(written) }
            return written
        }
    }

    static func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int, into writer: inout ByteWriter
    ) throws(BytesError) {
        var context: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0 else {
            throw .compressed(.lz4, "no memory")
        }
        defer { LZ4F_freeDecompressionContext(context) }
        var budget = DecompressionBudget(.lz4, limit: limit)
        var position = 0
        // What the library expects next: 0 at the end of a frame.
        var hint = 1
        while position < bytes.count {
            let before = writer.count
            try writer.write(atMost: budget.room) { room throws(BytesError) in
                var produced = room.count
                var consumed = bytes.count - position
                let source = bytes.baseAddress.map { $0 + position }
                hint = LZ4F_decompress(context, room.baseAddress, &produced, source, &consumed, nil)
                guard LZ4F_isError(hint) == 0 else { throw failure(hint) }
                guard consumed + produced > 0 else { throw .compressed(.lz4, "no progress") }
                position += consumed
                return produced
            }
            try budget.add(writer.count - before)
        }
        try drain(context, &hint, &budget, &writer)
        guard hint == 0 else { throw .unfinished(.lz4) }
    }

    /// Takes out what the library still holds after it has read everything.
    private static func drain(
        _ context: OpaquePointer?, _ hint: inout Int, _ budget: inout DecompressionBudget, _ writer: inout ByteWriter
    ) throws(BytesError) {
        while hint != 0 {
            let before = writer.count
            try writer.write(atMost: budget.room) { room throws(BytesError) in
                var produced = room.count
                var consumed = 0
                hint = LZ4F_decompress(context, room.baseAddress, &produced, nil, &consumed, nil)
                guard LZ4F_isError(hint) == 0 else { throw failure(hint) }
                return produced
            }
            guard writer.count > before else { return }
            try budget.add(writer.count - before)
        }
    }

    private static func failure(_ code: Int) -> BytesError {
        .compressed(.lz4, String(cString: LZ4F_getErrorName(code)))
    }
}
