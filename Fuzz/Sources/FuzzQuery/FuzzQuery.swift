import FuzzDriver
import Glibc
import Patterns
import Query

/// Feeds bytes to everything that reads a query: statements, patterns, bound parameters, times, LogQL, searches.
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
        switch first & 0x07 {
        case 0: match(text)
        case 1: _ = try? BoundParameter.parse(text)
        case 2: if let time = TimeText.parse(text) { checkTime(time) }
        case 4: parseLogQL(text)
        case 5: runLogQL(text)
        case 6: search(text)
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

    /// What is read, printed, is read as the same; laid out over lines too.
    private static func parseLogQL(_ text: String) {
        guard let query = try? LogQL.parse(text, needsMatcher: false) else { return }
        let printed = "\(query)"
        for form in [printed, query.formatted(width: 20)] {
            let second = try? LogQL.parse(form, needsMatcher: false)
            precondition(second.map { "\($0)" } == printed, "printed otherwise: \(form)")
        }
    }

    /// The stages stand before the first line end, the lines behind it.
    private static func runLogQL(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard case .lines(let selector)? = try? LogQL.parse("{a=\"b\"}" + lines[0]),
            let runner = try? LinePipeline(selector.stages).runner()
        else { return }
        for line in lines.dropFirst() {
            Array(line.utf8).withUnsafeBytes { bytes in
                if runner.process(bytes, time: 0) { _ = runner.labels.labels() }
            }
        }
    }

    /// A search becomes LogQL that is read as it was meant.
    private static func search(_ text: String) {
        guard let search = try? PlainSearch(text) else { return }
        let query = try? LogQL.parse(search.text, needsMatcher: false)
        precondition(query.map { "\($0)" } == search.text, "no LogQL: \(search.text)")
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
