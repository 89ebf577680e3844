import ArgumentParser
import Glibc
import Query

/// `millrace logs QUERY`: finds lines and shows them.
struct LogsQueryCommand: InterruptibleCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Find log lines, and follow new ones.",
        discussion: """
            A query is either plain words or LogQL; what begins with { is LogQL.

              millrace logs 'error "connection refused" app:api' --since 1h
              millrace logs level:error --follow
              millrace logs '{app="api"} | json | status >= 500' --json

            Words and "quoted phrases" must stand in the line, -word must not; name:value is a label, level:error a \
            level, name=value a field of JSON or logfmt lines. --explain prints what is asked, as LogQL. Lines are shown \
            in the order of time, the latest --limit of them.
            """)

    @Argument(help: "What to look for. Nothing: every line.")
    var query: [String] = []

    @Option(help: "The first moment: 1h, 2026-11-21T01:38:05Z. Default: an hour ago.")
    var since: String = "1h"

    @Option(help: "The last moment. Default: now.")
    var until: String?

    @Option(name: [.long, .customShort("n")], help: "The most lines; at most 5000 in one go.")
    var limit: Int = 100

    @Flag(name: [.long, .customShort("f")], help: "Go on with new lines, until interrupted.")
    var follow = false

    @Option(name: [.long, .customShort("C")], help: "Lines of the same stream around each hit, filtered or not.")
    var context: Int = 0

    @Option(help: "For metric queries: the distance of the samples, such as 1m. Without it: one sample, at the end.")
    var step: String?

    @Option(name: [.long, .customShort("t")], help: "The tenant, X-Scope-OrgID. Default: the server's own, fake.")
    var tenant: String?

    @Flag(help: "Print one JSON object per line: time, labels, line.")
    var json = false

    @Flag(help: "Print the lines alone, as they came.")
    var raw = false

    @Flag(help: "Show all labels of each line.")
    var labels = false

    @Flag(inversion: .prefixedNo, help: "Fold lines of JSON into message and fields. Default: on a terminal.")
    var fold: Bool?

    @Flag(inversion: .prefixedNo, help: "Use colours. Default: on a terminal, unless NO_COLOR is set.")
    var color: Bool?

    @Flag(inversion: .prefixedNo, help: "Show long output in $PAGER. Default: on a terminal.")
    var pager: Bool = true

    @Flag(help: "Print the query as LogQL, and ask nothing.")
    var explain = false

    @OptionGroup var server: ServerOptions

    /// The longest query of one answer, as the server bounds it.
    private static let maximumLimit = 5_000
    private static let maximumContext = 1_000
    private static let pollMilliseconds: UInt64 = 500

    func validate() throws {
        guard (1...Self.maximumLimit).contains(limit) else {
            throw ValidationError("--limit must be between 1 and \(Self.maximumLimit).")
        }
        guard (0...Self.maximumContext).contains(context) else {
            throw ValidationError("--context must be between 0 and \(Self.maximumContext).")
        }
        guard !follow || until == nil && context == 0 else {
            throw ValidationError("--follow goes on with new lines: --until and --context do not fit.")
        }
        for time in [since, until ?? "now"] where time != "now" && TimeText.milliseconds(time, now: 0) == nil {
            throw ValidationError("\(time) is no time; 90s, 15m, 2h, 2026-11-21 or 2026-11-21T01:38:05Z are.")
        }
    }

    func run() async throws {
        let logQL = try LogsQuery.logQL(query.joined(separator: " "))
        if explain { return print(logQL) }
        let request = LokiRequest(server: server, tenant: tenant)
        let now = wallMilliseconds()
        let start = (TimeText.milliseconds(since, now: now) ?? 0) * 1_000_000
        // An end of now includes what was written in this millisecond.
        let end = (until.flatMap { TimeText.milliseconds($0, now: now) } ?? now + 1) * 1_000_000
        guard LogsQuery.isLogQuery(logQL) else { return try await showSamples(logQL, request, start, end) }
        let answer = try await request.range(logQL, start: start, end: end, limit: limit, forward: false)
        let lines = LogsQuery.inOrder(answer.lines)
        let pages = Pager(isWanted: pager && !follow && !json)
        let output = pages?.output ?? Output()
        do {
            try await show(lines, request, output)
            if lines.isEmpty, !follow { sayNothingFound(logQL) }
            if follow { try await goOn(logQL, request, after: lines, from: end, output) }
        } catch is OutputClosed {}
        pages?.wait()
    }

    private func show(_ lines: [LokiAnswer.Line], _ request: LokiRequest, _ output: Output) async throws {
        let format = format
        if context > 0 {
            let groups = try await LogContext.merge(around(lines, request))
            for (index, group) in groups.enumerated() {
                if index > 0, !json { try output.write("--\n") }
                for shown in group { try write(shown.line, format, output, isContext: !shown.isHit) }
            }
        } else {
            for line in lines { try write(line, format, output) }
        }
        try output.flush()
    }

    private func write(
        _ line: LokiAnswer.Line, _ format: LogLineFormat, _ output: Output, isContext: Bool = false
    ) throws {
        guard json else { return try output.write(format.text(line, isContext: isContext)) }
        var text = JSONText()
        text.object { object in
            object.member("time", "\(line.time)")
            object.key("labels")
            object.object { labels in
                for (name, value) in line.labels.sorted(by: { $0.key < $1.key }) { labels.member(name, value) }
            }
            object.member("line", line.text)
            if context > 0 {
                object.key("hit")
                object.value(!isContext)
            }
        }
        text.newline()
        try output.write { $0 += text.bytes }
    }

    private var format: LogLineFormat {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        return LogLineFormat(
            isColoured: color ?? (isTerminal && environmentVariable("NO_COLOR") == nil), foldsJSON: fold ?? isTerminal,
            showsLabels: labels, isRaw: raw)
    }

    /// Asks again and again for the last seconds; what comes later than that, with an earlier time, is not seen.
    private func goOn(
        _ logQL: String, _ request: LokiRequest, after shown: [LokiAnswer.Line], from end: Int64, _ output: Output
    ) async throws {
        var seen = LogsFollowing(shown, end: end, isCut: shown.count >= limit)
        while !Interruption.happened {
            try await Task.sleep(for: .milliseconds(Self.pollMilliseconds))
            let now = (wallMilliseconds() + 1) * 1_000_000
            var start = seen.start
            while !Interruption.happened {
                let answer = try await request.range(
                    logQL, start: start, end: max(now, start + 1), limit: Self.maximumLimit, forward: true)
                let lines = LogsQuery.inOrder(answer.lines)
                try await show(seen.new(lines), request, output)
                // A full page: there is more behind it.
                guard lines.count >= Self.maximumLimit, let last = lines.last?.time, last > start else { break }
                start = last
            }
            seen.advance(to: now)
        }
    }

    private func around(
        _ hits: [LokiAnswer.Line], _ request: LokiRequest
    ) async throws -> [(hit: LokiAnswer.Line, before: [LokiAnswer.Line], after: [LokiAnswer.Line])] {
        var all: [(hit: LokiAnswer.Line, before: [LokiAnswer.Line], after: [LokiAnswer.Line])] = []
        for hit in hits {
            let stream = LogLineFormat.labels(hit.stream)
            let day: Int64 = 86_400_000_000_000
            let before = try await request.range(
                stream, start: hit.time - day, end: hit.time, limit: context, forward: false)
            let after = try await request.range(
                stream, start: hit.time + 1, end: hit.time + day, limit: context, forward: true)
            all.append((hit, LogsQuery.inOrder(before.lines), LogsQuery.inOrder(after.lines)))
        }
        return all
    }

    private func showSamples(_ logQL: String, _ request: LokiRequest, _ start: Int64, _ end: Int64) async throws {
        guard !follow else {
            throw CommandFailure(message: "a metric query cannot be followed", advice: "leave out --follow")
        }
        let answer =
            if let step {
                try await request.range(logQL, start: start, end: end, limit: limit, forward: false, step: step)
            } else {
                try await request.at(logQL, time: end - 1)
            }
        let output = Output()
        for sample in answer.samples {
            let time = timestamp(milliseconds: Int64(sample.seconds * 1_000))
            if json {
                var text = JSONText()
                text.object { object in
                    object.member("time", time)
                    object.key("labels")
                    object.object { labels in
                        for (name, value) in sample.labels.sorted(by: { $0.key < $1.key }) {
                            labels.member(name, value)
                        }
                    }
                    object.member("value", sample.value)
                }
                text.newline()
                try output.write { $0 += text.bytes }
            } else {
                try output.write(
                    "\(step == nil ? "" : time + " ")\(LogLineFormat.labels(sample.labels)) \(sample.value)\n")
            }
        }
        try output.flush()
    }

    private func sayNothingFound(_ logQL: String) {
        StandardError.write(
            """
            no lines since \(since): \(logQL)
            hint: --since 24h looks further back; `millrace view list` tells whether the view is behind

            """)
    }
}
