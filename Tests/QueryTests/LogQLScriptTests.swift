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

    private static func lines(_ body: () throws(QueryError) -> String) -> [String] {
        do throws(QueryError) {
            return try body().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        } catch {
            return [error.message]
        }
    }
}
