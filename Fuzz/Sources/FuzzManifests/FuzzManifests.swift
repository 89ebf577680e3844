import Bytes
import FuzzDriver
import Glibc

@testable import Series
@testable import View

/// Feeds bytes to every decoder of what a manifest holds, with the right checksum around a manifest.
///
/// Byte 0 picks the decoder. What was decoded, encoded again, must decode to the same.
@main
enum FuzzManifests {
    static func main() {
        var (count, arguments) = (CommandLine.argc, Optional(CommandLine.unsafeArgv))
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                FuzzManifests.run(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }

    private static func run(_ input: UnsafeRawBufferPointer) {
        guard let selector = input.first else { return }
        let bytes = Array(input.dropFirst())
        switch selector & 0x03 {
        case 0: readManifest(bytes)
        case 1: readState(bytes)
        case 2: readDetails(bytes)
        default: readCommand(bytes)
        }
    }

    private static func readManifest(_ bytes: [UInt8]) {
        _ = try? StoredManifest.decode(bytes, "f")
        var writer = ByteWriter()
        // The magic and the format, which a fuzzer need not find.
        writer.write(0x4D4C_564D as UInt32)
        writer.write(1 as UInt16)
        writer.write(contentsOf: bytes)
        writer.write(writer.withUnsafeBytes { CRC32C.checksum($0) })
        guard let stored = try? StoredManifest.decode(writer.array(), "f") else { return }
        let again = try? StoredManifest.decode(stored.encoded(), "f")
        precondition(again == stored, "a manifest was lost")
        // Everything has its place: what is decoded takes as many bytes as it was decoded from.
        precondition(stored.encoded().count == writer.count, "a manifest has bytes that mean nothing")
    }

    private static func readState(_ bytes: [UInt8]) {
        guard let state = try? SeriesStateCodec.decode(bytes) else { return }
        let encoded = SeriesStateCodec.encode(state)
        let again = try? SeriesStateCodec.decode(encoded)
        precondition(again.map(SeriesStateCodec.encode) == encoded, "a state was lost")
        precondition(state.cardinality.seriesEstimate >= 0)
    }

    private static func readDetails(_ bytes: [UInt8]) {
        guard let details = try? BlockDetails(decoding: bytes) else { return }
        precondition((try? BlockDetails(decoding: details.encoded())) == details, "details were lost")
    }

    private static func readCommand(_ bytes: [UInt8]) {
        guard let command = try? bytes.withUnsafeBytes({ try CommandCodec.decode($0) }) else { return }
        let again = try? CommandCodec.encode(command).withUnsafeBytes { try CommandCodec.decode($0) }
        precondition(again == command, "a command was lost")
    }
}
