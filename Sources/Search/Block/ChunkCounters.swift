import Bytes
public import Telemetry

/// How many lines, and bytes of lines, a chunk has of one level in one minute.
public struct LineCounter: Sendable, Equatable {
    /// The minute m is the times behind 60 m s up to and including 60 (m + 1) s, in seconds since 1970.
    public var minute: Int64
    /// The level.
    public var level: LineLevel
    /// The number of lines.
    public var lines: Int
    /// The bytes of these lines.
    public var bytes: Int

    /// The minute of a time in nanoseconds.
    @inlinable
    public static func minute(of time: Int64) -> Int64 {
        let before = time == .min ? time : time - 1
        return before >= 0 ? before / 60_000_000_000 : -((-(before + 1)) / 60_000_000_000) - 1
    }
}

/// The counters of one chunk as bytes: by minute and then by level.
enum ChunkCounters {
    /// - Returns: the levels that occur.
    static func write(_ rows: borrowing LineRows, to writer: inout ByteWriter) -> UInt8 {
        var lines = [Int](repeating: 0, count: 8)
        var bytes = [Int](repeating: 0, count: 8)
        var levels: UInt8 = 0
        var (minute, last): (Int64, Int64) = (LineCounter.minute(of: rows.times[0]), 0)
        func flush(_ writer: inout ByteWriter) {
            for level in 0..<8 where lines[level] > 0 {
                writer.writeVarlong(minute - last)
                last = minute
                writer.writeUnsignedVarint(UInt32(lines[level]) << 3 | UInt32(level))
                writer.writeUnsignedVarint(UInt32(bytes[level]))
                levels |= 1 << UInt8(level)
                (lines[level], bytes[level]) = (0, 0)
            }
        }
        for row in 0..<rows.count {
            let own = LineCounter.minute(of: rows.times[row])
            if own != minute {
                flush(&writer)
                minute = own
            }
            let level = Int(rows.levels[row].rawValue)
            lines[level] += 1
            bytes[level] += rows.lines[row].count
        }
        flush(&writer)
        return levels
    }

    static func read(_ bytes: UnsafeRawBufferPointer) throws(BytesError) -> [LineCounter] {
        var reader = ByteReader(bytes)
        var (counters, minute): ([LineCounter], Int64) = ([], 0)
        while !reader.isAtEnd {
            let (next, overflows) = minute.addingReportingOverflow(try reader.varlong())
            let lines = try reader.unsignedVarint()
            let bytes = Int(try reader.unsignedVarint())
            guard !overflows, let level = LineLevel(rawValue: UInt8(lines & 7)) else {
                throw BytesError(code: .malformed, message: "a counter of no level")
            }
            minute = next
            counters.append(LineCounter(minute: minute, level: level, lines: Int(lines >> 3), bytes: bytes))
        }
        return counters
    }
}
