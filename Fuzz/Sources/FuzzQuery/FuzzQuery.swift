import FuzzDriver
import Glibc
import Patterns
import Query

/// Feeds bytes to everything that reads a query: statements, patterns, bound parameters, times.
///
/// Byte 0 picks the reader. What parses, printed, must parse, and be printed the same. The tree may differ: a minus before
/// a parenthesis is a product, as in InfluxDB, which a printed chain of products groups otherwise.
@main
enum FuzzQuery {
    static func main() {
        var (count, arguments) = (CommandLine.argc, Optional(CommandLine.unsafeArgv))
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                FuzzQuery.run(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }

    private static func run(_ input: UnsafeRawBufferPointer) {
        guard let first = input.first else { return }
        let text = String(decoding: input.dropFirst(), as: UTF8.self)
        switch first & 0x03 {
        case 0: match(text)
        case 1: _ = try? BoundParameter.parse(text)
        case 2: if let time = TimeText.parse(text) { checkTime(time) }
        default: parse(text)
        }
    }

    private static func parse(_ text: String) {
        var parser = Parser(text)
        guard let statements = try? parser.parse() else { return }
        if statements.contains(where: { if case .unserved = $0 { true } else { false } }) { return }
        let printed = printing(statements)
        var second = Parser(printed)
        precondition((try? second.parse()).map(printing) == printed, "printed otherwise: \(printed)")
    }

    private static func printing(_ statements: [Statement]) -> String {
        statements.map { Printer.text($0) }.joined(separator: "; ")
    }

    /// The pattern stands before the first line end, the text behind it.
    private static func match(_ text: String) {
        let sides = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard let pattern = try? Pattern(String(sides[0])) else { return }
        _ = pattern.matches(Array(sides[sides.count - 1].utf8))
    }

    private static func checkTime(_ time: Int64) {
        var bytes: [UInt8] = []
        TimeText.append(time, to: &bytes)
        precondition(TimeText.parse(String(decoding: bytes, as: UTF8.self)) == time, "told otherwise")
    }
}
