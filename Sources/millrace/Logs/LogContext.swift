/// Lines around hits, of the same streams, as `grep --context` shows them. Pure.
struct LogContext {
    /// A line, and whether it is a hit.
    struct Shown: Equatable {
        var line: LokiAnswer.Line
        var isHit: Bool
    }

    /// Hits with the lines around each put into one order: by stream, then by time, each line once. Groups that do not
    /// touch are apart.
    ///
    /// - Parameter around: for each hit the lines of its stream in front of it and behind it, the hit not among them.
    static func merge(
        _ around: [(hit: LokiAnswer.Line, before: [LokiAnswer.Line], after: [LokiAnswer.Line])]
    )
        -> [[Shown]]
    {
        var groups: [[Shown]] = []
        let inOrder = around.sorted { left, right in
            let (a, b) = (LogLineFormat.labels(left.hit.labels), LogLineFormat.labels(right.hit.labels))
            return a == b ? left.hit.time < right.hit.time : a < b
        }
        for (hit, before, after) in inOrder {
            let all =
                before.map { Shown(line: $0, isHit: false) } + [Shown(line: hit, isHit: true)]
                + after.map { Shown(line: $0, isHit: false) }
            guard let last = groups.last, last.contains(where: { all.map(\.line).contains($0.line) }) else {
                groups.append(all)
                continue
            }
            groups[groups.count - 1] = join(last, all)
        }
        return groups
    }

    /// A line that is a hit in either is one.
    private static func join(_ group: [Shown], _ other: [Shown]) -> [Shown] {
        var joined = group
        for shown in other {
            if let place = joined.firstIndex(where: { $0.line == shown.line }) {
                joined[place].isHit = joined[place].isHit || shown.isHit
            } else {
                joined.append(shown)
            }
        }
        return joined.enumerated().sorted { left, right in
            left.element.line.time == right.element.line.time
                ? left.offset < right.offset : left.element.line.time < right.element.line.time
        }.map(\.element)
    }
}
