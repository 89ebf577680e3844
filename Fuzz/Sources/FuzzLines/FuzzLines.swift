import FuzzDriver
import Glibc

@testable import Telemetry

/// Feeds bytes to the reader of line protocol.
///
/// The short way must tell of each line what the grammar tells; every position must lie in its line, and tags be in
/// order.
@main
enum FuzzLines {
    static func main() {
        var (count, arguments) = (CommandLine.argc, Optional(CommandLine.unsafeArgv))
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                FuzzLines.run(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }

    private static func run(_ bytes: UnsafeRawBufferPointer) {
        var plain = LineParser(bytes)
        var grammar = LineParser(bytes)
        var key = SeriesKey()
        while true {
            let step = plain.next()
            guard step == byGrammar(&grammar) else { fatalError("another step than \(step)") }
            if step == .end { return }
            precondition(plain.line == grammar.line && plain.nextLine == grammar.nextLine, "another line")
            guard step == .point else { continue }
            precondition(plain.key == grammar.key && plain.time == grammar.time, "another point")
            precondition(plain.fields.elementsEqual(grammar.fields), "other fields")
            key.parse(UnsafeRawBufferPointer(rebasing: bytes[plain.key]))
            check(plain, key)
        }
    }

    private static func byGrammar(_ parser: inout LineParser) -> LineParser.Step {
        while parser.nextLine < parser.bytes.count {
            if let step = parser.readAnyLine(from: parser.nextLine) { return step }
        }
        return .end
    }

    /// Every position lies in the line, and every tag is in order.
    private static func check(_ parser: borrowing LineParser, _ key: SeriesKey) {
        for field in parser.fields {
            precondition(parser.line.contains(field.key.lowerBound) && field.key.upperBound <= parser.line.upperBound)
            guard field.type == .string else { continue }
            precondition(field.string.lowerBound > field.key.upperBound)
            precondition(field.string.upperBound <= parser.line.upperBound)
        }
        key.bytes.withUnsafeBytes { bytes in
            for (left, right) in zip(key.tags, key.tags.dropFirst()) {
                let (left, right) = (
                    UnsafeRawBufferPointer(rebasing: bytes[left.key]),
                    UnsafeRawBufferPointer(rebasing: bytes[right.key])
                )
                precondition(ByteOrder.precedes(left, right) || ByteOrder.equal(left, right), "tags out of order")
            }
        }
    }
}
