import Bytes
import Testing

/// What `body` writes into a small writer.
private func write(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
    var writer = ByteWriter(capacity: 0)
    body(&writer)
    return writer.array()
}

struct ByteWriterTests {
    @Test func integersAreBigEndian() {
        let bytes = write {
            $0.write(Int8(-1))
            $0.write(UInt8(0x80))
            $0.write(Int16(-2))
            $0.write(UInt16(0x8001))
            $0.write(Int32(-3))
            $0.write(UInt32(0x8000_0002))
            $0.write(Int64(-4))
            $0.write(UInt64(0x8000_0000_0000_0003))
            $0.write(1.5)
            $0.write(true)
            $0.write(false)
        }
        #expect(
            bytes
                == hex("ff 80 fffe 8001 fffffffd 80000002 fffffffffffffffc 8000000000000003 3ff8000000000000 01 00"))
    }

    @Test func stringsBytesAndNulls() {
        #expect(write { $0.write("€", compact: false) } == hex("0003 e282ac"))
        #expect(write { $0.write("€", compact: true) } == hex("04 e282ac"))
        #expect(write { $0.write(nil as String?, compact: false) } == hex("ffff"))
        #expect(write { $0.write(nil as String?, compact: true) } == hex("00"))
        #expect(write { $0.write([1, 2], compact: false) } == hex("00000002 0102"))
        #expect(write { $0.write([1, 2], compact: true) } == hex("03 0102"))
        #expect(write { $0.write(nil as [UInt8]?, compact: false) } == hex("ffffffff"))
        #expect(write { $0.writeArrayCount(300, compact: true) } == hex("ad02"))
        #expect(write { $0.writeNull(compact: true) } == hex("00"))
    }

    @Test func stringsAreCutWhereTheProtocolEnds() {
        let long = String(repeating: "€", count: 20_000)
        let bytes = write { $0.write(long, compact: false) }
        // 10,922 characters of three bytes fit into 32,767.
        #expect(bytes.count == 2 + 32_766)
        #expect(Array(bytes[..<2]) == hex("7ffe"))
    }

    @Test func growingKeepsWhatWasWritten() {
        let parts = (0..<50).map { pseudorandomBytes($0 * 7) }
        let bytes = write { writer in for part in parts { writer.write(contentsOf: part) } }
        #expect(bytes == parts.flatMap { $0 })
    }

    @Test func taggedFieldsOfEverySizeOfSize() {
        for count in [0, 1, 127, 128, 16_383, 16_384, 2_100_000] {
            let content = [UInt8](repeating: 9, count: count)
            let bytes = write { writer in
                writer.write(UInt8(1))
                writer.writeTaggedField(300) { $0.write(contentsOf: content) }
                writer.write(UInt8(2))
            }
            let size = write { $0.writeUnsignedVarint(UInt32(count)) }
            #expect(bytes == [1, 0xAC, 0x02] + size + content + [2], "\(count) bytes")
        }
    }

    @Test func patchingAndTruncating() {
        let bytes = write {
            $0.write(Int32(0))
            $0.write(UInt8(7))
            $0.patch(Int16(-1), at: 2)
            $0.write(UInt8(8))
            $0.truncate(to: 5)
        }
        #expect(bytes == hex("0000ffff 07"))
    }

    @Test func writingInPlaceTakesWhatWasUsed() {
        let bytes = write { writer in
            writer.write(atMost: 100) { room in
                room[0] = 5
                room[99] = 6
                return 1
            }
            writer.write(UInt8(6))
        }
        #expect(bytes == [5, 6])
    }

    @Test func gapsAreCountedAndForgotten() {
        var writer = ByteWriter()
        writer.write(UInt8(1))
        writer.writeGap(10)
        writer.write(UInt8(2))
        writer.writeGap(20)
        var (count, messageCount, gaps) = (writer.count, writer.messageCount, writer.gaps)
        #expect(count == 2)
        #expect(messageCount == 32)
        #expect(gaps.map(\.position) == [1, 2])
        #expect(gaps.map(\.byteCount) == [10, 20])
        writer.truncate(to: 1)
        gaps = writer.gaps
        #expect(gaps.map(\.byteCount) == [10])
        writer.removeAll()
        (count, messageCount) = (writer.count, writer.messageCount)
        #expect(count == 0)
        #expect(messageCount == 0)
    }

    @Test func emptyingKeepsMemoryUpToALimit() {
        var writer = ByteWriter()
        writer.write(contentsOf: [UInt8](repeating: 0, count: 5000))
        let before = writer.capacity
        writer.removeAll(keepingAtMost: 10_000)
        let kept = writer.capacity
        #expect(kept == before)
        writer.removeAll(keepingAtMost: 4000)
        let small = writer.capacity
        #expect(small == 256)
        writer.write(contentsOf: [UInt8](repeating: 3, count: 500))
        let bytes = writer.array()
        #expect(bytes == [UInt8](repeating: 3, count: 500))
    }
}
