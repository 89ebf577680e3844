import KafkaWire
import MillraceTesting
import SimulatedMachine
import Testing

@testable import ServeKafka

/// What incremental responses told, put together, must always be what one full response would tell.
@Suite struct FetchSessionModelTests {
    /// A client's view of the partitions that it reads: the last that it was told of each.
    private struct Client {
        var offsets: [String: Int64] = [:]
        var view: [String: String] = [:]
        /// Records told but not asked beyond yet.
        var behind: Set<String> = []
    }

    @Test(arguments: SimulationSeeds.chosen(200))
    func incrementalFetchesAddUpToFullOnes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var script = SessionScript()
        let names = (0..<8).flatMap { topic in (0..<4).map { "t\(topic)/\($0)" } }
        for name in names where Bool.random(using: &random) { script.log[name] = .init() }
        var client = Client()
        for name in names.shuffled(using: &random).prefix(12) { client.offsets[name] = 0 }
        _ = script.begin(Self.words(client.offsets))
        take(Self.full(script.log, client.offsets), &client)
        for epoch: Int32 in 1...60 {
            change(&script.log, names, &random)
            var wanted: [String: Int64] = [:]
            var forgotten: [String] = []
            for name in names where Int.random(in: 0..<6, using: &random) == 0 {
                if client.offsets[name] != nil, Bool.random(using: &random) {
                    client.offsets[name] = nil
                    client.view[name] = nil
                    forgotten.append(name)
                } else {
                    let content = script.log[name] ?? .init()
                    wanted[name] = .random(in: content.start...content.end, using: &random)
                    client.offsets[name] = wanted[name]
                }
            }
            take(script.fetch(epoch, Self.words(wanted), forget: forgotten.joined(separator: " ")), &client)
            var expected = Client()
            take(Self.full(script.log, client.offsets), &expected)
            #expect(client.view == expected.view, "seed \(seed), epoch \(epoch)")
            #expect(script.session.count == client.offsets.count)
        }
    }

    private func change(
        _ log: inout [String: SessionScript.Content], _ names: [String], _ random: inout SeededGenerator
    ) {
        for name in names where Int.random(in: 0..<4, using: &random) == 0 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: log[name] = nil
            case 1: log[name] = log[name] ?? .init()
            case 2: log[name] = log[name].map { .init(start: $0.end, end: $0.end) }
            default: log[name]?.end += .random(in: 0...3, using: &random)
            }
        }
    }

    private func take(_ told: String, _ client: inout Client) {
        for part in told.split(separator: ", ") {
            let words = part.split(separator: " ")
            // Records are told by bytes; the view is about ends and errors.
            client.view[String(words[0])] = String(words[words.count - 1])
        }
    }

    private static func full(_ log: [String: SessionScript.Content], _ offsets: [String: Int64]) -> String {
        var script = SessionScript()
        script.log = log
        return script.begin(words(offsets))
    }

    private static func words(_ offsets: [String: Int64]) -> String {
        offsets.sorted { $0.key < $1.key }.map { "\($0.key)@\($0.value)" }.joined(separator: " ")
    }
}
