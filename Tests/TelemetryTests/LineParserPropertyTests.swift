import MillraceTesting
import Testing

@testable import Telemetry

/// Random bodies: the short way and the grammar must tell the same of each, and what was read, written and read again
/// must be the same.
@Suite struct LineParserPropertyTests {
    private static let pieces: [String] = [
        "cpu", "mem,host=a", ",region=eu-west-1", ",host=b\\ c", " ", " ", " value=1", ",other=2.5", ",n=17i", ",u=4u",
        ",s=\"a b\"", ",s=\"a,\\\"b=\\\\\"", ",t=true", " 1434055562000000000", " -5", "\n", "\n", "\n", "\r\n", "\\",
        "\"", ",", "=", "#", "time=1", "1e5", "é", "\t", "\0", ",a=1,b=2,c=3", " f=-0.25,g=12345678.875", "  ",
    ]

    private func body(_ dice: inout Dice) -> [UInt8] {
        var body: [UInt8] = []
        let count = Int.random(in: 1...40, using: &dice)
        for index in 0..<count {
            // Mostly lines that are right, so that what is wrong stands between them.
            if Int.random(in: 0..<3, using: &dice) > 0 {
                body += Array(
                    "cpu,host=h\(index),dc=\(count) v=\(index)i,w=\"x\(index)\",z=1.5 \(index * 1_000)\n".utf8)
            } else {
                for _ in 0..<Int.random(in: 1...6, using: &dice) {
                    body += Array((Self.pieces.randomElement(using: &dice) ?? "").utf8)
                }
            }
        }
        for _ in 0..<Int.random(in: 0...3, using: &dice) {
            let place = Int.random(in: 0..<body.count, using: &dice)
            switch Int.random(in: 0..<3, using: &dice) {
            case 0: body[place] = UInt8.random(in: 0...255, using: &dice)
            case 1: body.insert(contentsOf: Array((Self.pieces.randomElement(using: &dice) ?? "").utf8), at: place)
            default: body.removeSubrange(place..<min(body.count, place + 3))
            }
            if body.isEmpty { body = [10] }
        }
        return body
    }

    @Test func theShortWayTellsWhatTheGrammarTells() {
        for seed in SimulationSeeds.chosen(3_000) {
            var dice = Dice(seed: seed)
            let body = body(&dice)
            let (plain, grammar) = (LineReading(body), LineReading(body, usesPlainWay: false))
            #expect(plain == grammar, "seed \(seed): \(String(decoding: body, as: UTF8.self).debugDescription)")
        }
    }

    @Test func whatWasReadIsWrittenAndReadAgain() {
        for seed in SimulationSeeds.chosen(1_000) {
            var dice = Dice(seed: seed)
            let points = LineReading(body(&dice)).points.filter { isWritable($0) }
            let again = LineReading(Array(points.joined(separator: "\n").utf8))
            #expect(again.error == nil && again.points == points, "seed \(seed)")
        }
    }

    /// What begins like a comment, or has a backslash in front of a delimiter that is not escaped, cannot be written.
    private func isWritable(_ point: String) -> Bool {
        guard let first = point.utf8.first, first != UInt8(ascii: "#"), first > UInt8(ascii: " ") else { return false }
        return !point.contains("\\\\") && !point.contains("\\=") && !point.contains("\u{FFFD}")
            && !point.contains { "\n\0\t".contains($0) }
    }

    @Test func floatsAreReadExactly() {
        for seed in SimulationSeeds.chosen(2_000) {
            var dice = Dice(seed: seed)
            let value =
                Double(Int64.random(in: -99_999_999_999...99_999_999_999, using: &dice))
                / [1, 10, 100, 1_000, 1e6][Int.random(in: 0..<5, using: &dice)]
            #expect(LineReading(Array("m v=\(value)".utf8)).points == ["m v=\(value)"])
            let bits = Double(bitPattern: dice.next())
            if bits.isFinite { #expect(LineReading(Array("m v=\(bits)".utf8)).points == ["m v=\(bits)"]) }
        }
    }
}
