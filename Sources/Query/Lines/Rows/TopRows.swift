internal import Telemetry

/// A line of a log query's answer.
struct LogRow: Sendable {
    var time: Int64
    /// Of equal times the lower comes first.
    var order: UInt64
    var line: [UInt8]
    /// All labels, in their parts.
    var labels: RowLabels
}

/// The labels of a line by where they come from. A name stands in one part only.
struct RowLabels: Sendable, Hashable {
    var stream: StreamLabels
    var metadata: StreamLabels
    var parsed: StreamLabels

    /// All of them together.
    var all: StreamLabels {
        if metadata.labels.isEmpty, parsed.labels.isEmpty { return stream }
        return StreamLabels(stream.labels + metadata.labels + parsed.labels)
    }
}

/// The first rows in the order of time, or the last: at most twice as many as are wanted are held.
struct TopRows: Sendable {
    let limit: Int
    let descending: Bool
    /// Whether `detected_level` is among the labels.
    let tellsLevels: Bool
    private(set) var rows: [LogRow] = []
    /// Rows behind it do not matter; nil while there are not enough.
    private(set) var horizon: Int64?

    init(limit: Int, descending: Bool, tellsLevels: Bool) {
        (self.limit, self.descending, self.tellsLevels) = (limit, descending, tellsLevels)
    }

    /// Whether a row of this time can matter.
    @inline(__always)
    func wants(_ time: Int64) -> Bool {
        guard let horizon else { return true }
        return descending ? time >= horizon : time <= horizon
    }

    /// Takes a row. Returns how many bytes were given up.
    mutating func add(_ row: LogRow) -> Int {
        rows.append(row)
        return rows.count >= 2 * limit ? prune() : 0
    }

    /// Leaves the rows that are wanted, in order.
    @discardableResult
    mutating func prune() -> Int {
        rows.sort { left, right in
            if left.time != right.time { return descending ? left.time > right.time : left.time < right.time }
            return left.order < right.order
        }
        var dropped = 0
        if rows.count > limit {
            for row in rows[limit...] { dropped += row.line.count + RowReader.rowBytes }
            rows.removeLast(rows.count - limit)
        }
        if rows.count == limit { horizon = rows.last?.time }
        return dropped
    }

    /// Takes the rows of another.
    mutating func merge(_ other: TopRows) {
        rows += other.rows
        prune()
    }
}
