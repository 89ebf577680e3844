import Glibc

/// Whether `bytes` has `expected` at a position. In debug builds a hundred times faster than comparing slices.
public func hasBytes(_ expected: [UInt8], in bytes: [UInt8], at position: Int) -> Bool {
    guard position >= 0, bytes.count - position >= expected.count else { return false }
    return expected.withUnsafeBytes { expected in
        bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let other = expected.baseAddress else { return expected.isEmpty }
            return memcmp(start + position, other, expected.count) == 0
        }
    }
}
