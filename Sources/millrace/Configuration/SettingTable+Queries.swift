import Query

/// Queries, whatever their language.
extension SettingTable {
    private static let most: ClosedRange<Int64> = 1...1_000_000_000_000

    static let queries: [Setting] = [
        .number(
            "query-log-slower-than-ms", .queries, \.queries.slowMilliseconds, -1...86_400_000, unit: "milliseconds",
            """
            A query that takes longer is logged with its plan and cost, at most five lines a second; in milliseconds. \
            0: every query. -1: none.
            """),
        .number(
            "query-timeout-ms", .queries, \.queries.limits.timeoutMilliseconds, 1...86_400_000, unit: "milliseconds",
            "How long a statement may run, in milliseconds; then it ends with an error."),
        .number(
            "max-queries", .queries, \.queries.limits.maximumQueries, 1...1_000_000,
            "Requests with queries that run at the same time; one more is answered with an error."),
        .number(
            "query-memory-bytes", .queries, \.queries.limits.maximumBytes, (1 << 20)...(1 << 40), unit: "bytes",
            "Memory in bytes that one statement may keep; beyond it the statement ends with an error."),
        .number(
            "query-total-memory-bytes", .queries, \.queries.limits.maximumTotalBytes, (1 << 20)...(1 << 40),
            unit: "bytes",
            "Memory in bytes that all statements together may keep; the one that wants more ends with an error."),
        .number(
            "query-max-series", .queries, \.queries.limits.maximumSeries, most,
            "The most series that a statement may read; beyond it the statement ends with an error."),
        .number(
            "query-max-points", .queries, \.queries.limits.maximumPoints, most,
            """
            The most points that a statement may read, those that statistics answer not counted; beyond it the \
            statement ends with an error.
            """),
        .number(
            "query-max-scanned-bytes", .queries, \.queries.limits.maximumScannedBytes, 4_096...(1 << 50),
            unit: "bytes",
            """
            The most bytes that a statement may read, as they are stored; beyond it the statement ends with an error.
            """),
        .number(
            "query-max-windows", .queries, \.queries.limits.maximumBuckets, most,
            "The most windows of GROUP BY time, all groups together; beyond it the statement ends with an error."),
        .number(
            "query-max-rows", .queries, \.queries.limits.maximumRows, most,
            "The most rows that a statement may answer; beyond it the statement ends with an error."),
        .number(
            "query-max-show-rows", .queries, \.queries.limits.maximumShowRows, most,
            "The most rows that SHOW may find; beyond it the statement ends with an error."),
        .number(
            "query-max-text-bytes", .queries, \.queries.limits.maximumTextBytes, 1_024...(1 << 30), unit: "bytes",
            "The longest text of a query, in bytes; a longer one is refused with 400."),
        .number(
            "query-threads", .queries, \.queries.limits.parallelism, 1...256,
            "Threads that one statement reads on at the same time, as far as there are cores."),
    ]
}
