import Bytes
import Testing

/// Reads from `bytes`.
private func read<T>(_ bytes: [UInt8], _ body: (inout ByteReader) throws -> T) rethrows -> T {
    try bytes.withUnsafeBytes {
        var reader = ByteReader($0)
        return try body(&reader)
    }
}

/// The code with which reading fails, or nil.
private func failure<T>(_ bytes: [UInt8], _ body: (inout ByteReader) throws -> T) -> BytesError.Code? {
    do {
        _ = try read(bytes, body)
        return nil
    } catch { return (error as? BytesError)?.code }
}

struct ByteReaderTests {
    @Test func integersAreBigEndian() throws {
        try read(hex("ff 80 fffe 8001 fffffffd 80000002 fffffffffffffffc 8000000000000003 3ff8000000000000 01 00 07")) {
            (reader: inout ByteReader) throws in
            #expect(try reader.int8() == -1)
            #expect(try reader.uint8() == 0x80)
            #expect(try reader.int16() == -2)
            #expect(try reader.uint16() == 0x8001)
            #expect(try reader.int32() == -3)
            #expect(try reader.uint32() == 0x8000_0002)
            #expect(try reader.int64() == -4)
            #expect(try reader.uint64() == 0x8000_0000_0000_0003)
            #expect(try reader.float64() == 1.5)
            #expect(try reader.bool())
            #expect(try !reader.bool())
            #expect(try reader.bool())
            #expect(reader.isAtEnd)
        }
    }

    @Test func readsThatDoNotFitLeaveTheCursorWhereItIs() {
        read([1, 2, 3]) { reader in
            #expect(throws: BytesError.self) { try reader.int32() }
            #expect(throws: BytesError.self) { try reader.skip(4) }
            #expect(throws: BytesError.self) { try reader.skip(-1) }
            #expect(throws: BytesError.self) { try reader.slice(.max) }
            #expect(reader.position == 0)
            #expect(reader.remaining == 3)
        }
        read([]) { reader in
            #expect(reader.isAtEnd)
            #expect(throws: BytesError.self) { try reader.uint8() }
            #expect((try? reader.slice(0))?.count == 0)
        }
    }

    @Test func slicesAndRangesCountFromTheStart() throws {
        try read([1, 2, 3, 4, 5]) { (reader: inout ByteReader) throws in
            try reader.skip(1)
            #expect(try Array(reader.slice(2)) == [2, 3])
            #expect(reader.position == 3)
            #expect(Array(reader.bytes(in: 0..<2)) == [1, 2])
        }
    }

    // Values and bytes from the protocol buffers documentation and from the limits.
    @Test(arguments: [
        ("00", 0, 0), ("01", 1, -1), ("02", 2, 1), ("7f", 127, -64), ("8001", 128, 64), ("ac02", 300, 150),
        ("ffffffff0f", UInt32.max, Int32.min), ("feffffff0f", UInt32.max - 1, Int32.max),
    ])
    func varints(_ digits: String, _ unsigned: UInt32, _ signed: Int32) throws {
        #expect(try read(hex(digits)) { try $0.unsignedVarint() } == unsigned)
        #expect(try read(hex(digits)) { try $0.varint() } == signed)
        #expect(try read(hex(digits)) { try $0.varlong() } == Int64(signed))
        var writer = ByteWriter()
        writer.writeUnsignedVarint(unsigned)
        writer.writeVarint(signed)
        writer.writeVarlong(Int64(signed))
        #expect(writer.array() == hex(digits + digits + digits))
    }

    @Test(arguments: [
        ("ffffffffffffffffff01", Int64.min), ("feffffffffffffffff01", .max), ("8080808080808001", 1 << 48),
    ])
    func varlongs(_ digits: String, _ value: Int64) throws {
        #expect(try read(hex(digits)) { try $0.varlong() } == value)
        var writer = ByteWriter()
        writer.writeVarlong(value)
        #expect(writer.array() == hex(digits))
    }

    @Test func varintsThatAreTooLongOrCutOffAreErrors() {
        #expect(failure(hex("ffffffff10")) { try $0.unsignedVarint() } == .malformed)
        #expect(failure(hex("ffffffffff00")) { try $0.unsignedVarint() } == .malformed)
        #expect(failure(hex("ffffffffffffffffff02")) { try $0.varlong() } == .malformed)
        #expect(failure(hex("ffffffffffffffffff8100")) { try $0.varlong() } == .malformed)
        #expect(failure(hex("80")) { try $0.varint() } == .truncated)
        // Longer than needed, but not too long: Kafka reads it.
        #expect(failure(hex("8080808000")) { try $0.unsignedVarint() } == nil)
    }

    @Test func stringsInBothForms() throws {
        #expect(try read(hex("0003 e282ac")) { try $0.string(compact: false) } == "€")
        #expect(try read(hex("04 e282ac")) { try $0.string(compact: true) } == "€")
        #expect(try read(hex("0000")) { try $0.string(compact: false) } == "")
        #expect(try read(hex("01")) { try $0.string(compact: true) } == "")
        #expect(try read(hex("ffff")) { try $0.nullableString(compact: false) } == nil)
        #expect(try read(hex("00")) { try $0.nullableString(compact: true) } == nil)
        #expect(failure(hex("ffff")) { try $0.string(compact: false) } == .malformed)
        #expect(failure(hex("00")) { try $0.string(compact: true) } == .malformed)
        #expect(failure(hex("8000")) { try $0.nullableString(compact: false) } == .malformed)
        #expect(failure(hex("0002 e282")) { try $0.string(compact: false) } == .malformed)
        #expect(failure(hex("0004 e282ac")) { try $0.string(compact: false) } == .truncated)
        // 32,768 bytes in the compact form.
        #expect(failure(hex("818002")) { try $0.string(compact: true) } == .malformed)
    }

    @Test func bytesInBothForms() throws {
        #expect(try read(hex("00000002 aabb")) { try $0.bytes(compact: false) } == [0xAA, 0xBB])
        #expect(try read(hex("03 aabb")) { try $0.nullableBytes(compact: true) } == [0xAA, 0xBB])
        #expect(try read(hex("03 aabb")) { try $0.nullableByteRange(compact: true) } == 1..<3)
        #expect(try read(hex("00000000")) { try $0.nullableByteRange(compact: false) } == 4..<4)
        #expect(try read(hex("ffffffff")) { try $0.nullableBytes(compact: false) } == nil)
        #expect(failure(hex("ffffffff")) { try $0.bytes(compact: false) } == .malformed)
        #expect(failure(hex("fffffffe")) { try $0.nullableBytes(compact: false) } == .malformed)
        #expect(failure(hex("7fffffff aa")) { try $0.nullableByteRange(compact: false) } == .truncated)
        #expect(failure(hex("ffffffff0f aa")) { try $0.nullableByteRange(compact: true) } == .malformed)
    }

    @Test func countsAreBoundByWhatRemains() throws {
        let five = hex("00000005 0000000000")
        #expect(try read(five) { try $0.arrayCount(compact: false, minimumElementBytes: 1) } == 5)
        #expect(failure(five) { try $0.arrayCount(compact: false, minimumElementBytes: 2) } == .truncated)
        #expect(failure(hex("7fffffff")) { try $0.arrayCount(compact: false, minimumElementBytes: 0) } == .truncated)
        #expect(failure(hex("ffffffff")) { try $0.arrayCount(compact: false, minimumElementBytes: 1) } == .malformed)
        #expect(try read(hex("00")) { try $0.nullableArrayCount(compact: true, minimumElementBytes: 1) } == nil)
    }

    @Test func elementsAreCountedOverTheWholeMessage() throws {
        let bytes = hex("03 0102 03 0102")
        try bytes.withUnsafeBytes { (bytes) throws in
            var reader = ByteReader(bytes, elementLimit: 3)
            #expect(try reader.arrayCount(compact: true, minimumElementBytes: 1) == 2)
            #expect(reader.remainingElements == 1)
            try reader.skip(2)
            let error = #expect(throws: BytesError.self) {
                try reader.arrayCount(compact: true, minimumElementBytes: 1)
            }
            #expect(error?.code == .limitExceeded)
        }
        #expect(ByteReader.defaultElementLimit == 1_048_576)
    }
}
