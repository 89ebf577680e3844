import Bytes
import FuzzDriver
import Glibc
import Machine
import Telemetry

@testable import Columns
@testable import Series

/// Feeds bytes to every decoder of blocks of points, without the checksums in front of them.
///
/// Byte 0 picks the decoder, bytes 1 and 2 say how many integers (floats, strings, series) it is to expect. What was
/// decoded, encoded again, must decode to the same.
@main
enum FuzzSeries {
    static func main() {
        var (count, arguments) = (CommandLine.argc, Optional(CommandLine.unsafeArgv))
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                FuzzSeries.run(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }

    private static func run(_ input: UnsafeRawBufferPointer) {
        guard input.count >= 3 else { return }
        let count = (Int(input[1]) << 8 | Int(input[2])) & 0x0FFF
        let bytes = UnsafeRawBufferPointer(rebasing: input[3...])
        switch input[0] & 0x07 {
        case 0: readIntegers(bytes, count)
        case 1: readFloats(bytes, count)
        case 2: readStrings(bytes, count)
        case 3:
            var values = ByteStrings()
            guard (try? ValuePart.decode(bytes, count: count, into: &values)) != nil else { return }
            precondition(values.count == count && values.offsets.last.map(Int.init) == values.bytes.count)
        case 4:
            var set = OrdinalSet(universe: count)
            for place in 0..<3 { try? PostingPart.decode(bytes, place: place, count: 3, into: &set) }
            precondition(set.members.allSatisfy { Int($0) < count })
        case 5:
            let fields = BlockFields.all
            guard let header = try? PageHeader(bytes, position: 8, limit: 8 + count, fields: fields) else { return }
            precondition(header.entries.allSatisfy { $0.range.offset + $0.range.count <= 8 + count })
        case 6: readSections(bytes, count)
        default: readBlock(bytes)
        }
    }

    private static func readIntegers(_ bytes: UnsafeRawBufferPointer, _ count: Int) {
        guard let values = try? IntegerCodec.decodeAll(bytes, count: count) else { return }
        var writer = ByteWriter()
        IntegerCodec.encode(values, into: &writer)
        let again = writer.withUnsafeBytes { try? IntegerCodec.decodeAll($0, count: count) }
        precondition(again == values, "integers were lost")
    }

    private static func readFloats(_ bytes: UnsafeRawBufferPointer, _ count: Int) {
        var values = [Double](repeating: 0, count: count)
        guard (try? values.withUnsafeMutableBufferPointer({ try FloatCodec.decodeAll(bytes, into: $0) })) != nil else {
            return
        }
        let patterns = values.map { Int64(bitPattern: $0.bitPattern) }
        var writer = ByteWriter()
        patterns.withUnsafeBufferPointer { FloatCodec.encode($0, into: &writer) }
        var again = [Double](repeating: 0, count: count)
        writer.withUnsafeBytes { bytes in
            again.withUnsafeMutableBufferPointer { try? FloatCodec.decodeAll(bytes, into: $0) }
        }
        precondition(again.map { Int64(bitPattern: $0.bitPattern) } == patterns, "floats were lost")
    }

    private static func readStrings(_ bytes: UnsafeRawBufferPointer, _ count: Int) {
        guard let strings = try? StringPiece.decode(bytes, limit: count) else { return }
        var writer = ByteWriter()
        StringPiece.encode(strings, into: &writer)
        let again = writer.withUnsafeBytes { try? StringPiece.decode($0, limit: count) }
        precondition(again?.bytes == strings.bytes && again?.offsets == strings.offsets, "strings were lost")
    }

    private static func readSections(_ bytes: UnsafeRawBufferPointer, _ count: Int) {
        var footer = TableFooter(name: [], fields: BlockFields.all, tagKeys: [[1], [2]])
        footer.seriesCount = count
        footer.pageCount = count & 0x3F
        footer.pages = BlockRange(offset: 8, count: 1 << 20)
        _ = try? PageIndex(bytes, footer)
        guard let series = try? SeriesIndex(bytes, footer) else { return }
        for range in series.columns.flatMap(\.codes) { precondition(range.offset + range.count <= bytes.count) }
    }

    /// A footer with the right checksum, and the block that it says.
    private static func readBlock(_ bytes: UnsafeRawBufferPointer) {
        var writer = ByteWriter()
        writer.write(BlockFormat.magic)
        writer.write(BlockFormat.version)
        writer.write(UInt16(0))
        writer.write(contentsOf: bytes)
        writer.write(UInt32(bytes.count))
        writer.write(CRC32C.checksum(bytes))
        writer.write(BlockFormat.magic)
        guard let block = try? Block(CopiedBytes(writer.array()), name: "f") else { return }
        _ = BlockReport(block)
    }
}

private enum BlockFields {
    static let all =
        [
            (name: [UInt8](), type: .float), ([1], .integer), ([2], .unsigned), ([3], .string), ([4], .boolean),
        ] as [(name: [UInt8], type: FieldType)]
}

private final class CopiedBytes: MemoryMap {
    // Safe because nothing changes it after the initialiser.
    private nonisolated(unsafe) let memory: UnsafeMutableRawBufferPointer

    init(_ content: [UInt8]) {
        memory = .allocate(byteCount: content.count, alignment: 16)
        memory.copyBytes(from: content)
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    deinit { memory.deallocate() }
}
