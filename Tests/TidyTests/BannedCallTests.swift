import Testing

/// Calls that belong to one place, or to none.
@Suite struct BannedCallTests {
    private struct Rule {
        let text: String
        let allowedTargets: Set<String>
        let instead: String
    }

    private static let rules = [
        Rule(text: "import Foundation", allowedTargets: ["TidyTests"], instead: "import FoundationEssentials"),
        Rule(
            text: "import Glibc",
            allowedTargets: [
                "Machine", "SimulatedMachine", "MachineTests", "MillraceTesting", "GenerateKafkaWire", "millrace",
                "millraceTests",
            ],
            instead: "go through Machine"),
        Rule(text: "import Dispatch", allowedTargets: ["millrace"], instead: "use Machine or NIO"),
        Rule(text: "SystemRandomNumberGenerator", allowedTargets: ["Machine"], instead: "use machine.randomness"),
        Rule(text: "clock_gettime", allowedTargets: ["Machine"], instead: "use machine.clock"),
        Rule(text: "ContinuousClock", allowedTargets: ["KafkaClient", "millrace"], instead: "use machine.clock"),
        Rule(text: "Date()", allowedTargets: ["KafkaClient", "millrace"], instead: "use machine.clock"),
        Rule(text: "print(", allowedTargets: ["millrace", "GenerateKafkaWire"], instead: "log, or return the text"),
        Rule(text: "try!", allowedTargets: [], instead: "handle the error"),
        Rule(text: "as!", allowedTargets: [], instead: "use a checked cast"),
        Rule(text: "fatalError(", allowedTargets: [], instead: "throw for input, precondition for a bug"),
    ]

    @Test func callsStayWhereTheyBelong() {
        for file in SourceTree.files where file.isSource {
            for (number, line) in file.code.enumerated() {
                for rule in Self.rules where !rule.allowedTargets.contains(file.target) && uses(rule.text, in: line) {
                    Issue.record("\(file.path):\(number + 1): \(rule.text) is banned here: \(rule.instead)")
                }
            }
        }
    }

    /// STYLE: "each `unsafe` says «safe because»".
    @Test func uncheckedPromisesAreArgued() {
        let promises = ["@unchecked Sendable", "nonisolated(unsafe)", "unsafeBitCast", "Unmanaged<"]
        for file in SourceTree.files where file.isSource {
            for (number, line) in file.code.enumerated() where promises.contains(where: line.contains) {
                let nearby = file.lines[max(0, number - 8)...min(file.lines.count - 1, number + 1)]
                if !nearby.contains(where: { $0.lowercased().contains("safe because") }) {
                    Issue.record("\(file.path):\(number + 1): say in a comment why this is \"safe because\" …")
                }
            }
        }
    }

    /// Whether `line` uses `text` as a whole word: `print(` is no use in `fingerprint(`, nor `import Foundation` in
    /// `import FoundationEssentials`.
    private func uses(_ text: String, in line: String) -> Bool {
        var rest = Substring(line)
        while let range = rest.firstRange(of: text) {
            let before = range.lowerBound == rest.startIndex ? " " : rest[rest.index(before: range.lowerBound)]
            let after = range.upperBound == rest.endIndex ? " " : rest[range.upperBound]
            let last = text.last ?? " "
            let startsWord = !(before.isLetter || before.isNumber || before == "_" || before == ".")
            let endsWord = !(last.isLetter && (after.isLetter || after.isNumber))
            if startsWord && endsWord { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }
}
