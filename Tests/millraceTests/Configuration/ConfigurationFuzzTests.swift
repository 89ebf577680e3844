import MillraceTesting
import SimulatedMachine
import Testing

@testable import millrace

/// Random damage to a good file: the reader never crashes, and what it takes is right.
@Suite struct ConfigurationFuzzTests {
    private static let pieces: [[UInt8]] =
        [
            "[", "]", "{", "}", "&a ", "*a", "- ", ": ", "\"", "'", "#", "|", ">", "?", "%", "@", "\t", "\n", "\r\n",
            "\0",
            "!!int ", "!<x> ", "<<: ", "---\n", "...\n", "~", "0x7f", "-1", "99999999999999999999", "\u{2028}",
            "\u{feff}",
        ].map { Array($0.utf8) } + [[0xff], [0xc3], [0xed, 0xa0, 0x80]]

    @Test(arguments: SimulationSeeds.chosen(2))
    func damagedFilesAreReadOrRefused(seed: UInt64) {
        let whole = Array(ConfigurationReport.yaml(Configuration([])).utf8)
        // Half of the lines set something.
        let good = whole.enumerated().filter { $0.element != UInt8(ascii: "#") || $0.offset % 2 == 0 }.map(\.element)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var bytes = Array(good[Int.random(in: 0..<good.count, using: &random)...].prefix(2_000))
            for _ in 0..<Int.random(in: 1...12, using: &random) { damage(&bytes, &random) }
            let file = ConfigurationFile(bytes, name: "f")
            let configuration = Configuration(file.values, mistakes: file.mistakes)
            for (name, given) in configuration.given {
                let kind = SettingTable.named(name)?.kind
                #expect(given.allSatisfy { kind?.takes($0.text) == true }, "\(name): \(given)")
            }
            let lines = ConfigurationFailure(mistakes: configuration.mistakes).description.split(separator: "\n")
            #expect(lines.count <= 21)
        }
    }

    private func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        guard !bytes.isEmpty else { return bytes = [UInt8(ascii: "a")] }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.insert(contentsOf: Self.pieces.randomElement(using: &random) ?? [], at: place)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &random)))
        default:
            let other = Int.random(in: 0..<bytes.count, using: &random)
            bytes.insert(contentsOf: bytes[min(place, other)..<max(place, other)].prefix(200), at: place)
        }
    }
}
