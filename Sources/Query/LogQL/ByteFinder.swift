internal import CMillrace

/// Looking for texts in bytes.
enum ByteFinder {
    /// The first place of a text at or behind `start`.
    static func first(_ text: [UInt8], in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard !text.isEmpty else { return start <= bytes.count ? start : nil }
        guard let base = bytes.baseAddress, start + text.count <= bytes.count else { return nil }
        return text.withUnsafeBytes { needle in
            guard let found = memmem(base + start, bytes.count - start, needle.baseAddress, needle.count) else {
                return nil
            }
            return UnsafeRawPointer(found) - base
        }
    }
}

extension ByteFinder {
    /// Whether a text, given in lower case, occurs with ASCII letters of either case.
    static func containsFolded(_ text: [UInt8], in bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= text.count else { return false }
        for start in 0...(bytes.count - text.count) {
            var offset = 0
            while offset < text.count, folded(bytes[start + offset]) == text[offset] { offset += 1 }
            if offset == text.count { return true }
        }
        return false
    }

    @inline(__always)
    private static func folded(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
}
