import Foundation
import Query
import Telemetry
import Testing

/// LogQL by its scripts.
@Suite struct LogQLScriptTests {
    @Test func sayWhatTheScriptsSay() async throws {
        var count = 0
        for var script in try LogQLScript.all() {
            let outcome = try await script.run(LogQLPlayer.play)
            count += outcome.count
            for failure in outcome.failures { Issue.record("\(failure)") }
        }
        #expect(count > 200)
    }
}

/// Plays a block of a script.
enum LogQLPlayer {
    static func play(_ block: LogQLScript.Block) -> [String] {
        let text = block.input.joined(separator: "\n")
        let words = block.command.split(separator: " ").map(String.init)
        switch words[0] {
        case "parse": return [parsed(text)]
        case "each": return block.input.map(parsed)
        case "format":
            return lines { () throws(QueryError) in try LogQL.parse(text).formatted(width: Int(words[1]) ?? 100) }
        case "plain": return block.input.map(plain)
        case "run": return run(block.command.dropFirst(4).description, block.input)
        default: return ["unknown command \(block.command)"]
        }
    }

    /// The canonical text, checked to mean the same.
    private static func parsed(_ text: String) -> String {
        do throws(QueryError) {
            let query = try LogQL.parse(text)
            let again = try LogQL.parse("\(query)")
            return "\(again)" == "\(query)" ? "\(query)" : "\(query) is read as \(again)"
        } catch {
            return error.message
        }
    }

    /// A search in LogQL, checked to be LogQL.
    private static func plain(_ text: String) -> String {
        do throws(QueryError) {
            let search = try PlainSearch(text)
            let query = try LogQL.parse(search.text, needsMatcher: false)
            return query == .lines(search.selector) ? search.text : "\(search.text) is read as \(query)"
        } catch {
            return error.message
        }
    }

    /// Runs lines through a query's stages. Input: `stream {…}`, `meta {…}`, `time N`, `> the line`. Output: `-` for a
    /// line that does not come through, else the line, its labels and its sample.
    private static func run(_ query: String, _ input: [String]) -> [String] {
        do throws(QueryError) {
            let runner = try pipeline(query).runner()
            var metadata: [StreamLabels.Label] = []
            var time: Int64 = 0
            var output: [String] = []
            runner.begin(StreamLabels([]))
            for line in input {
                let rest = line.drop { $0 != " " }.dropFirst()
                switch line.prefix(1) {
                case "s": runner.begin((try? StreamLabels(text: String(rest))) ?? StreamLabels([]))
                case "m": metadata = ((try? StreamLabels(text: String(rest))) ?? StreamLabels([])).labels
                case "t": time = Int64(rest) ?? 0
                default: output.append(outcome(runner, Array(unescaped(rest).utf8), time, metadata))
                }
            }
            return output
        } catch {
            return [error.message]
        }
    }

    private static func pipeline(_ query: String) throws(QueryError) -> LinePipeline {
        switch try LogQL.parse(query) {
        case .lines(let selector): return try LinePipeline(selector.stages)
        case .metric(.range(let range)):
            return try LinePipeline(range.range.selector.stages, unwrap: range.range.unwrap)
        case .metric(.aggregation(let aggregation)):
            guard case .range(let range) = aggregation.operand else { break }
            return try LinePipeline(
                range.range.selector.stages, unwrap: range.range.unwrap, wanted: .only(aggregation.grouping.labels))
        default: break
        }
        return try LinePipeline([])
    }

    /// What no line of a script can hold: `\\e` for an escape, `\\n` for the end of a line.
    private static func unescaped(_ text: Substring) -> String {
        String(text).replacing("\\e", with: "\u{1B}").replacing("\\n", with: "\n")
    }

    private static func outcome(
        _ runner: LineRunner, _ line: [UInt8], _ time: Int64, _ metadata: [StreamLabels.Label]
    ) -> String {
        line.withUnsafeBytes { bytes in
            guard runner.process(bytes, time: time, metadata: metadata) else { return "-" }
            let text = String(decoding: runner.line, as: UTF8.self).replacing("\n", with: "\\n")
            let sample = runner.sample.map { " \($0)" } ?? ""
            return "\(text) \(runner.labels.labels().text)\(sample)"
        }
    }

    private static func lines(_ body: () throws(QueryError) -> String) -> [String] {
        do throws(QueryError) {
            return try body().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        } catch {
            return [error.message]
        }
    }
}
