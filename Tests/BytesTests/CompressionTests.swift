import Bytes
import Testing

private func compress(_ codec: Compression, _ bytes: [UInt8]) throws -> [UInt8] {
    var writer = ByteWriter()
    try bytes.withUnsafeBytes { try codec.compress($0, into: &writer) }
    return writer.array()
}

private func decompress(_ codec: Compression, _ bytes: [UInt8], limit: Int = 10 << 20) throws -> [UInt8] {
    var writer = ByteWriter()
    try bytes.withUnsafeBytes { try codec.decompress($0, limit: limit, into: &writer) }
    return writer.array()
}

/// The code with which decompression fails, or nil.
private func failure(_ codec: Compression, _ bytes: [UInt8], limit: Int = 10 << 20) -> BytesError.Code? {
    do {
        _ = try decompress(codec, bytes, limit: limit)
        return nil
    } catch { return (error as? BytesError)?.code }
}

private let text = [UInt8](String(repeating: "hello snappy ", count: 8).utf8)
private let realCodecs: [Compression] = [.gzip, .snappy, .lz4, .zstd]

struct CompressionTests {
    @Test(arguments: Compression.allCases)
    func everySizeComesBack(_ codec: Compression) throws {
        for count in [0, 1, 100, 65_535, 65_536, 65_537, 3_000_000] {
            let random = pseudorandomBytes(count)
            #expect(try decompress(codec, compress(codec, random)) == random, "\(count) random bytes")
            let same = [UInt8](repeating: 7, count: count)
            #expect(try decompress(codec, compress(codec, same)) == same, "\(count) equal bytes")
        }
    }

    @Test(arguments: Compression.allCases)
    func theLimitIsExact(_ codec: Compression) throws {
        let bytes = try compress(codec, [UInt8](repeating: 7, count: 100_000))
        #expect(try decompress(codec, bytes, limit: 100_000).count == 100_000)
        #expect(failure(codec, bytes, limit: 99_999) == .limitExceeded)
    }

    @Test(arguments: realCodecs)
    func aBombIsCutOff(_ codec: Compression) throws {
        // 200 MB of zeros in a few hundred kilobytes or less.
        let bomb = try compress(codec, [UInt8](repeating: 0, count: 200 << 20))
        var writer = ByteWriter()
        let error = #expect(throws: BytesError.self) {
            try bomb.withUnsafeBytes { try codec.decompress($0, limit: 1 << 20, into: &writer) }
        }
        #expect(error?.code == .limitExceeded)
        #expect(error?.message == "\(codec.name): more than 1048576 bytes decompressed")
        #expect(writer.capacity <= 8 << 20)
    }

    @Test(arguments: realCodecs)
    func everyTruncationIsAnError(_ codec: Compression) throws {
        let bytes = try compress(codec, text + pseudorandomBytes(100))
        for count in 0..<bytes.count {
            #expect(failure(codec, Array(bytes[..<count])) != nil, "\(count) of \(bytes.count) bytes")
        }
    }

    @Test(arguments: realCodecs)
    func garbageIsAnError(_ codec: Compression) {
        #expect(failure(codec, [UInt8](repeating: 0xFF, count: 100)) != nil)
        #expect(failure(codec, pseudorandomBytes(1000)) != nil)
    }

    @Test func changedBytesNeverTrap() throws {
        for codec in realCodecs {
            let bytes = try compress(codec, text)
            for position in bytes.indices {
                for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                    var changed = bytes
                    changed[position] = value
                    _ = failure(codec, changed, limit: 1 << 16)
                }
            }
        }
    }
}

struct CompressionInteroperabilityTests {
    // python3 -c 'import gzip; print(gzip.compress(b"hello snappy " * 8, mtime=0).hex())'
    @Test func gzipOfPythonAndSeveralMembers() throws {
        let member = hex("1f8b0800000000000203cb48cdc9c95728ce4b2c28a854c8a01d0700d51cfe7668000000")
        #expect(try decompress(.gzip, member) == text)
        #expect(try decompress(.gzip, member + member) == text + text)
        #expect(failure(.gzip, member + [1, 2, 3]) != nil)
    }

    // python3: cramjam.snappy.compress_raw, the block that librdkafka and franz-go write.
    @Test func rawSnappy() throws {
        #expect(try decompress(.snappy, hex("683068656c6c6f20736e6170707920fe0d006a0d00")) == text)
    }

    // python3: kafka.codec.snappy_encode, the frames of snappy-java.
    @Test func framedSnappyOfJavaAndPython() throws {
        let header = hex("82 534e41505059 00 00000001 00000001")
        let block = hex("683068656c6c6f20736e6170707920fe0d006a0d00")
        let chunk = [0, 0, 0, UInt8(block.count)] + block
        #expect(try decompress(.snappy, header + chunk) == text)
        #expect(try decompress(.snappy, header + chunk + chunk) == text + text)
        // Two streams one after the other, as snappy-java reads them.
        #expect(try decompress(.snappy, header + chunk + header + chunk) == text + text)
        #expect(try decompress(.snappy, header) == [])
        #expect(failure(.snappy, header + chunk, limit: text.count - 1) == .limitExceeded)
        #expect(failure(.snappy, header + [0x7F, 0xFF, 0xFF, 0xFF] + block) == .truncated)
        #expect(failure(.snappy, header + [0xFF, 0xFF, 0xFF, 0xFF] + block) == .truncated)
        #expect(failure(.snappy, header + [0, 0]) == .truncated)
    }

    @Test func snappyThatAnnouncesMoreThanItCanHoldIsRefusedBeforeMemoryIsTaken() {
        // A varint of 2 GiB - 1 and one literal byte.
        var writer = ByteWriter()
        let lie = hex("ffffffff07 00 61")
        let error = #expect(throws: BytesError.self) {
            try lie.withUnsafeBytes { try Compression.snappy.decompress($0, limit: .max, into: &writer) }
        }
        #expect(error?.code == .malformed)
        #expect(writer.capacity < 1024)
    }

    // python3: cramjam.lz4.compress
    @Test func lz4OfPython() throws {
        let frame = hex("04224d185440ae17000000df68656c6c6f20736e61707079200d0043506170707920c341f01c00000000f53277e4")
        #expect(try decompress(.lz4, frame) == text)
        #expect(try decompress(.lz4, frame + frame) == text + text)
    }

    // printf 'hello snappy %.0s' 1 2 3 4 5 6 7 8 | lz4 -c, and the same with zstd -c: both with checksums.
    @Test func framesOfTheCommandLineTools() throws {
        #expect(
            try decompress(
                .lz4, hex("04224d186440a717000000df68656c6c6f20736e61707079200d004350617070792000000000f53277e4"))
                == text)
        #expect(
            try decompress(.zstd, hex("28b52ffd0458a500006868656c6c6f20736e6170707920010008d3fc022edfe537")) == text)
    }

    @Test func ourLZ4FramesHaveIndependentBlocksForJava() throws {
        let frame = try compress(.lz4, text)
        #expect(Array(frame[..<4]) == [0x04, 0x22, 0x4D, 0x18])
        // FLG: version 1, independent blocks, no content size.
        #expect(frame[4] & 0b1110_1000 == 0b0110_0000)
    }

    // python3: cramjam.zstd.compress
    /// A context that saw a half frame, or a wrong one, is used again.
    @Test func zstdForgetsWhatFailed() throws {
        let bytes = [UInt8]((0..<20_000).map { UInt8(truncatingIfNeeded: $0 / 7 &* 31) })
        var packed = ByteWriter()
        try bytes.withUnsafeBytes { try Compression.zstd.compress($0, into: &packed) }
        let frame = packed.array()
        for broken in [Array(frame.dropLast(9)), Array(frame.reversed()), []] {
            for limit in [100, bytes.count] {
                var writer = ByteWriter()
                _ = try? broken.withUnsafeBytes { try Compression.zstd.decompress($0, limit: limit, into: &writer) }
                var whole = ByteWriter()
                try frame.withUnsafeBytes { try Compression.zstd.decompress($0, limit: bytes.count, into: &whole) }
                #expect(whole.array() == bytes)
            }
        }
    }

    @Test func zstdOfPython() throws {
        let frame = hex("28b52ffd2068a500006868656c6c6f20736e6170707920010008d3fc02")
        #expect(try decompress(.zstd, frame) == text)
        #expect(try decompress(.zstd, frame + frame) == text + text)
    }

    @Test func namesAreThoseOfKafkasConfiguration() {
        #expect(Compression.allCases.map(\.name) == ["none", "gzip", "snappy", "lz4", "zstd"])
        #expect(Compression(name: "zstd") == .zstd)
        #expect(Compression(name: "brotli") == nil)
        #expect(Compression.allCases.map(\.rawValue) == [0, 1, 2, 3, 4])
    }
}

/// The bytes of hexadecimal digits; spaces are ignored.
func hex(_ digits: String) -> [UInt8] {
    let nibbles = digits.compactMap { $0.hexDigitValue.map(UInt8.init) }
    return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
}
