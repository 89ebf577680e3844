import Query

/// What a person asks, as LogQL. Pure.
enum LogsQuery {
    /// LogQL for plain words; LogQL as it is.
    ///
    /// - Throws: `CommandFailure` if the words make no query.
    static func logQL(_ text: String) throws -> String {
        let trimmed = text.drop { $0 == " " }
        guard !isLogQL(trimmed) else { return String(trimmed) }
        do throws(QueryError) {
            return try PlainSearch(String(trimmed)).text
        } catch {
            throw CommandFailure(
                message: error.message, advice: "`millrace logs query --help` shows how to search",
                status: ExitStatus.usage)
        }
    }

    /// Selectors begin with a brace; metric queries with a function whose argument holds one.
    private static func isLogQL(_ text: Substring) -> Bool {
        if text.first == "{" { return true }
        guard let parenthesis = text.firstIndex(of: "("), text.contains("{") || text.hasPrefix("vector(") else {
            return false
        }
        return text[..<parenthesis].allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == " " }
    }

    /// Whether it asks for lines, and not for numbers.
    static func isLogQuery(_ logQL: String) -> Bool { logQL.first == "{" }

    /// By time; lines of one time as they came.
    static func inOrder(_ lines: [LokiAnswer.Line]) -> [LokiAnswer.Line] {
        lines.enumerated().sorted { left, right in
            left.element.time == right.element.time
                ? left.offset < right.offset : left.element.time < right.element.time
        }.map(\.element)
    }
}

/// What was shown of the last seconds, so that asking for these again shows nothing twice, and what arrived late is seen.
/// Pure.
struct LogsFollowing {
    /// How late a line may arrive, in nanoseconds of its own time.
    static let windowNanoseconds: Int64 = 3_000_000_000

    /// The first moment to ask for.
    private(set) var start: Int64
    private var shown: Set<LokiAnswer.Line>

    /// - Parameters:
    ///   - lines: what was shown, in the order of time.
    ///   - end: the moment up to which was asked.
    ///   - isCut: whether earlier lines were left out, which are not to be shown later.
    init(_ lines: [LokiAnswer.Line], end: Int64, isCut: Bool) {
        let window = end - Self.windowNanoseconds
        start = isCut ? max(window, lines.first?.time ?? window) : window
        shown = Set(lines)
        forget()
    }

    /// Those of the lines, which are in the order of time, that were not shown yet; now they are.
    mutating func new(_ lines: [LokiAnswer.Line]) -> [LokiAnswer.Line] {
        lines.filter { shown.insert($0).inserted }
    }

    /// Everything up to `end` was asked for.
    mutating func advance(to end: Int64) {
        start = max(start, end - Self.windowNanoseconds)
        forget()
    }

    private mutating func forget() {
        let start = start
        shown = shown.filter { $0.time >= start }
    }
}
