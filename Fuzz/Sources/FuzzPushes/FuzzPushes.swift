import Decode
import FuzzDriver
import Glibc

/// Feeds bytes to the decoders of pushed lines. The first byte chooses: Loki's JSON, its protobuf, JSON lines.
///
/// Whatever comes out, every range must lie in the push's bytes, and what is told must have been counted.
@main
enum FuzzPushes {
    static func main() {
        var (count, arguments) = (CommandLine.argc, Optional(CommandLine.unsafeArgv))
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                FuzzPushes.run(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }

    private static func run(_ bytes: UnsafeRawBufferPointer) {
        guard let choice = bytes.first else { return }
        let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        let push: LinePush?
        switch choice % 3 {
        case 0: push = try? LokiJSON.decode(rest)
        case 1: push = try? LokiProtobuf.decode(rest)
        default:
            var lines = JSONLines()
            lines.streamNames = ["a", "app"]
            lines.ignoredNames = ["b"]
            push = lines.decode(rest, now: 1)
        }
        if let push { check(push) }
    }

    private static func check(_ push: LinePush) {
        precondition(push.failures.count <= push.failureCount && push.failures.count <= LinePush.maximumFailures)
        for entry in push.streams.flatMap(\.entries) {
            precondition(entry.line.upperBound <= push.bytes.count)
            for field in push.fields[entry.metadata] {
                precondition(max(field.name.upperBound, field.value.upperBound) <= push.bytes.count)
            }
        }
    }
}
