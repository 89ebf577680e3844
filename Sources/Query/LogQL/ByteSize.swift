/// Sizes as people write them: `5KB` is 5,000 bytes, `5KiB` is 5,120.
enum ByteSize {
    private static let scales: [String: Double] = [
        "": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15, "eb": 1e18, "k": 1e3, "m": 1e6,
        "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "kib": 0x1p10, "mib": 0x1p20, "gib": 0x1p30, "tib": 0x1p40,
        "pib": 0x1p50, "eib": 0x1p60, "ki": 0x1p10, "mi": 0x1p20, "gi": 0x1p30, "ti": 0x1p40, "pi": 0x1p50,
        "ei": 0x1p60,
    ]

    /// The number of bytes, or nil. Units in letters of either case, a space in front of them, commas between digits.
    static func parse(_ text: String) -> UInt64? {
        let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." || $0 == "," }
        let unit = trimmingSpace(text.dropFirst(number.count)).lowercased()
        guard !number.isEmpty, let scale = scales[unit], let value = Double(number.filter { $0 != "," }) else {
            return nil
        }
        let bytes = value * scale
        return bytes < 0x1p64 ? UInt64(bytes) : nil
    }

    private static func trimmingSpace(_ text: Substring) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// `10GB` if that is exact, else the number of bytes with `B`.
    static func text(_ bytes: UInt64) -> String {
        if bytes < 10 { return "\(bytes)B" }
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        var place = 0
        var value = Double(bytes)
        while value >= 1_000, place < units.count - 1 {
            value /= 1_000
            place += 1
        }
        let tenths = (value * 10).rounded() / 10
        let short = (tenths < 10 ? "\(tenths)" : "\(Int(tenths.rounded()))") + units[place]
        // Beyond petabytes the language has no unit.
        return place < 6 && parse(short) == bytes ? short : "\(bytes)B"
    }
}
