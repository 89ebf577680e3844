import Bytes
import FuzzDriver
import Glibc

/// Feeds bytes to the decompression of every codec. Byte 0 chooses the codec.
///
/// Never may more come out than the limit, nor much more memory be taken; what comes out must survive being compressed
/// and decompressed.
@main
enum FuzzCodecs {
    /// The bytes that may come out of a codec: 256 KiB.
    private static let limit = 256 << 10

    static func main() {
        var (count, arguments) = (CommandLine.argc, Optional(CommandLine.unsafeArgv))
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                FuzzCodecs.run(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }

    private static func run(_ input: UnsafeRawBufferPointer) {
        guard let first = input.first else { return }
        let codec = Compression.allCases[Int(first) % Compression.allCases.count]
        var plain = ByteWriter()
        let compressed = UnsafeRawBufferPointer(rebasing: input[1...])
        let isValid = (try? codec.decompress(compressed, limit: limit, into: &plain)) != nil
        precondition(plain.capacity <= 8 * limit, "memory beyond the limit")
        guard isValid else { return }
        precondition(plain.count <= limit, "bytes beyond the limit")
        comesBack(plain.array(), codec)
    }

    private static func comesBack(_ plain: [UInt8], _ codec: Compression) {
        var compressed = ByteWriter()
        var again = ByteWriter()
        do {
            try plain.withUnsafeBytes { try codec.compress($0, into: &compressed) }
            try compressed.array().withUnsafeBytes { try codec.decompress($0, limit: limit, into: &again) }
        } catch { fatalError("\(codec.name): \(error)") }
        guard again.array() == plain else { fatalError("\(codec.name): other bytes came back") }
    }
}
