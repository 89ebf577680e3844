/// Looking for texts in bytes.
enum ByteFinder {
    /// The first place of a text at or behind `start`.
    static func first(_ text: [UInt8], in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let first = text.first else { return start <= bytes.count ? start : nil }
        let last = bytes.count - text.count
        var position = start
        while position <= last {
            if bytes[position] == first, isAt(position, text, bytes) { return position }
            position &+= 1
        }
        return nil
    }

    /// Whether a text stands at a place.
    @inline(__always)
    static func isAt(_ position: Int, _ text: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard position + text.count <= bytes.count else { return false }
        for offset in 1..<max(1, text.count) where bytes[position &+ offset] != text[offset] { return false }
        return text.isEmpty || bytes[position] == text[0]
    }
}
