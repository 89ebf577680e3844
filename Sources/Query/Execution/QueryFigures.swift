internal import Instruments
internal import Series

/// What is counted of queries: of each statement once, when it ends.
struct QueryFigures: Sendable {
    /// The instruments of one language.
    private struct Language: Sendable {
        let outcomes: [QueryOutcome: Counter]
        let duration: Histogram
        let cpu: Counter
        let slow: Counter
    }

    private let languages: [QueryLanguage: Language]
    private let bounds: [QueryBound: Counter]
    private let points: Counter
    private let bytes: Counter
    private let rows: Counter
    private let pagesRead: Counter
    private let pagesSummarised: Counter
    private let pagesSkipped: Counter

    init(_ instruments: InstrumentRegistry) {
        languages = QueryLanguage.allCases.reduce(into: [:]) { languages, language in
            languages[language] = Self.language(language, instruments)
        }
        bounds = QueryBound.allCases.reduce(into: [:]) { counters, bound in
            counters[bound] = instruments.counter(
                "millrace_query_bounds_reached_total", help: "Statements that a bound ended or refused, by bound.",
                labels: [Label("bound", bound.rawValue)])
        }
        points = instruments.counter(
            "millrace_query_points_read_total", help: "Points that queries read; those of summaries not counted.")
        bytes = instruments.counter("millrace_query_bytes_read_total", help: "Bytes that queries read, as stored.")
        rows = instruments.counter("millrace_query_rows_total", help: "Rows that queries answered.")
        func pages(_ how: String) -> Counter {
            instruments.counter(
                "millrace_query_pages_total", help: "Pages of blocks that queries met, by what became of them.",
                labels: [Label("how", how)])
        }
        pagesRead = pages("read")
        pagesSummarised = pages("summarised")
        pagesSkipped = pages("skipped")
    }

    private static func language(_ language: QueryLanguage, _ instruments: InstrumentRegistry) -> Language {
        let label = Label("language", language.rawValue)
        let outcomes = QueryOutcome.allCases.reduce(into: [QueryOutcome: Counter]()) { counters, outcome in
            counters[outcome] = instruments.counter(
                "millrace_queries_total", help: "Statements, by language and by how they ended.",
                labels: [label, Label("outcome", outcome.rawValue)])
        }
        return Language(
            outcomes: outcomes,
            duration: instruments.histogram(
                "millrace_query_seconds", help: "Time of statements, without what their readers let them wait.",
                labels: [label]),
            cpu: instruments.counter(
                "millrace_query_cpu_seconds_total", help: "CPU time of statements.", countedPerRendered: 1e9,
                labels: [label]),
            slow: instruments.counter(
                "millrace_queries_slow_total", help: "Statements that took longer than query-log-slower-than-ms.",
                labels: [label]))
    }

    /// Counts a statement or request that did not run.
    func count(_ language: QueryLanguage, _ outcome: QueryOutcome, _ bound: QueryBound?) {
        languages[language]?.outcomes[outcome]?.add()
        if let bound { bounds[bound]?.add() }
    }

    /// Counts a statement that ran.
    func count(
        _ language: QueryLanguage, _ outcome: QueryOutcome, _ bound: QueryBound?, _ cost: QueryCost, isSlow: Bool
    ) {
        count(language, outcome, bound)
        languages[language]?.duration.record(cost.nanoseconds)
        languages[language]?.cpu.add(cost.cpuNanoseconds)
        if isSlow { languages[language]?.slow.add() }
        points.add(UInt64(cost.points))
        bytes.add(UInt64(cost.scan.bytes))
        rows.add(UInt64(cost.rows))
        pagesRead.add(UInt64(cost.scan.pagesRead))
        pagesSummarised.add(UInt64(cost.scan.pagesSummarised))
        pagesSkipped.add(UInt64(cost.scan.pagesSkipped))
    }
}
