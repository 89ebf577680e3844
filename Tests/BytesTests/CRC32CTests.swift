import Bytes
import Testing

struct CRC32CTests {
    // RFC 3720, appendix B.4.
    @Test func knownChecksums() {
        #expect(CRC32C.checksum([UInt8]("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum([UInt8](0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum([]) == 0)
    }

    @Test func portableAndFastOnesAgreeAtEveryLengthAndAlignment() {
        let bytes = pseudorandomBytes(30_000)
        bytes.withUnsafeBytes { bytes in
            for start in 0..<9 {
                for count in Array(0..<700) + [1535, 1536, 1537, 12_287, 12_288, 12_289, 29_991] {
                    let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
                    #expect(CRC32C.checksum(part) == CRC32C.portableChecksum(part), "\(count) bytes at \(start)")
                }
            }
        }
    }

    @Test func checksumsContinue() {
        let bytes = pseudorandomBytes(20_000)
        bytes.withUnsafeBytes { bytes in
            let whole = CRC32C.checksum(bytes)
            for cut in [0, 1, 7, 8, 191, 192, 5000, 20_000] {
                let first = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<cut]))
                let rest = UnsafeRawBufferPointer(rebasing: bytes[cut...])
                #expect(CRC32C.checksum(rest, continuing: first) == whole, "cut at \(cut)")
                #expect(CRC32C.portableChecksum(rest, continuing: first) == whole, "cut at \(cut)")
            }
        }
    }
}

/// Bytes that no codec can shorten, always the same.
func pseudorandomBytes(_ count: Int) -> [UInt8] {
    var state: UInt64 = 1
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}
