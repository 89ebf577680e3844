import Query
import Telemetry
import Testing

/// What LogQL answers, by its scripts: `Scripts/Lines/README.md` tells their commands.
@Suite struct LogQLAnswerTests {
    @Test func answerWhatTheScriptsSay() async throws {
        var count = 0
        for var script in try LogQLScript.all(in: "Lines") {
            let player = LogQLAnswerPlayer()
            let outcome = try await script.run(player.play)
            count += outcome.count
            for failure in outcome.failures { Issue.record("\(failure)") }
        }
        #expect(count > 60)
    }
}

/// Plays a script over lines of its own.
final class LogQLAnswerPlayer: Sendable {
    private let lines = MemoryLines()
    private let service: LogQLService

    init() {
        service = LogQLService(
            directory: lines, running: RunningQueries(clock: FixedClock()), clock: FixedClock())
    }

    func play(_ block: LogQLScript.Block) async -> [String] {
        let words = block.command.split(separator: " ").map(String.init)
        do {
            switch words[0] {
            case "lines":
                for line in block.input { try add(line) }
                return []
            case "query":
                var outputs: [String] = []
                for text in block.input {
                    do throws(LogQLFailure) {
                        outputs += try await query(text, Array(words.dropFirst()))
                    } catch {
                        outputs += "\(error.status) \(error.message)".split(separator: "\n").map(String.init)
                    }
                }
                return outputs
            default: return ["unknown command \(block.command)"]
            }
        } catch {
            return ["\(error)"]
        }
    }

    /// `{app="x"} 1.5 {key="value"} text`: labels, seconds, metadata, the line.
    private func add(_ line: String) throws {
        var rest = Substring(line)
        func labels() throws -> StreamLabels {
            guard let end = rest.firstIndex(of: "}") else { return StreamLabels([]) }
            let labels = try StreamLabels(text: String(rest[...end]))
            rest = rest[rest.index(after: end)...].drop { $0 == " " }
            return labels
        }
        let stream = try labels()
        let time = rest.prefix { $0 != " " }
        rest = rest.dropFirst(time.count + 1)
        let metadata = rest.hasPrefix("{}") || rest.hasPrefix("{m") ? try labels().labels : []
        lines.add(stream, nanoseconds(String(time)), String(rest), metadata)
    }

    private func nanoseconds(_ text: String) -> Int64 { Int64(((Double(text) ?? 0) * 1e9).rounded()) }

    /// `query at 60`, `query 0 60 step 10 limit 5 forward categorized`.
    private func query(_ text: String, _ words: [String]) async throws(LogQLFailure) -> [String] {
        var request: LogQLRequest
        if words[0] == "at" {
            request = LogQLRequest(text, at: nanoseconds(words[1]))
        } else {
            request = LogQLRequest(
                text, start: nanoseconds(words[0]), end: nanoseconds(words[1]), step: 1_000_000_000)
        }
        for (index, word) in words.enumerated() {
            switch word {
            case "step": request.step = nanoseconds(words[index + 1])
            case "limit": request.limit = Int(words[index + 1]) ?? 100
            case "forward": request.descending = false
            case "categorized": request.categorizes = true
            default: break
            }
        }
        let answer = String(decoding: try await service.answer(request, tenant: "test"), as: UTF8.self)
        return Self.laidOut(answer)
    }

    /// A line for each stream or series, without what is the same in all answers.
    private static func laidOut(_ answer: String) -> [String] {
        var text = answer.replacing("{\"status\":\"success\",\"data\":{\"resultType\":", with: "")
        if let statistics = text.firstRange(of: ",\"stats\":") { text = String(text[..<statistics.lowerBound]) }
        text = text.replacing("},{\"stream\":", with: "},\n{\"stream\":").replacing(
            "},{\"metric\":", with: "},\n{\"metric\":")
        return text.split(separator: "\n").map(String.init)
    }
}
