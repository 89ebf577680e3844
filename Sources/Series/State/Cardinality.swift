/// How many series and tag values each table has, about: what the bounds are compared with. A function of the log
/// alone, whatever was cut or compacted when.
struct Cardinality: Sendable, Equatable {
    /// Of one table.
    struct Table: Sendable, Equatable {
        var series = WindowedSketch()
        /// By tag key.
        var tags: [[UInt8]: WindowedSketch] = [:]
    }

    private(set) var tables: [TableKey: Table] = [:]
    /// The sum over all tables.
    private(set) var seriesEstimate = 0

    init() {}

    init(tables: [TableKey: Table]) {
        self.tables = tables
        seriesEstimate = tables.values.reduce(0) { $0 + $1.series.estimate }
    }

    /// The stretches of time that are told apart: a policy that keeps points for a while has about ten.
    static func windowNanoseconds(of policy: RetentionPolicy) -> Int64? {
        guard policy.durationNanoseconds > 0 else { return nil }
        return max(policy.shardNanoseconds, policy.durationNanoseconds / 8)
    }

    /// Counts a series.
    mutating func insertSeries(_ hash: UInt64, table key: TableKey, window: Int64?) {
        let before = tables[key]?.series.estimate ?? 0
        tables[key, default: Table()].series.insert(hash, window: window)
        seriesEstimate += (tables[key]?.series.estimate ?? 0) - before
    }

    /// Counts a value of a tag.
    mutating func insertValue(_ hash: UInt64, tag: [UInt8], table key: TableKey, window: Int64?) {
        tables[key, default: Table()].tags[tag, default: WindowedSketch()].insert(hash, window: window)
    }

    /// Forgets tables.
    mutating func remove(where isRemoved: (TableKey) -> Bool) {
        tables = tables.filter { !isRemoved($0.key) }
        seriesEstimate = tables.values.reduce(0) { $0 + $1.series.estimate }
    }

    /// Replaces a table's sketches by what is left of it.
    mutating func replace(_ key: TableKey, by table: Table) {
        tables[key] = table
        seriesEstimate = tables.values.reduce(0) { $0 + $1.series.estimate }
    }

    /// Forgets what ended before a time.
    mutating func expire(retentionPolicy: [UInt8], before limit: Int64, length: Int64) {
        for key in tables.keys where key.retentionPolicy == retentionPolicy {
            guard tables[key]?.series.hasWindow(endingBefore: limit, length: length) == true else { continue }
            tables[key]?.series.expire(before: limit, length: length)
            for tag in tables[key]?.tags.keys.map({ $0 }) ?? [] {
                tables[key]?.tags[tag]?.expire(before: limit, length: length)
            }
        }
        seriesEstimate = tables.values.reduce(0) { $0 + $1.series.estimate }
    }

    /// The tag with the most values; of equal ones the first by name.
    var worstTag: (measurement: [UInt8], tag: [UInt8], values: Int)? {
        var worst: (measurement: [UInt8], tag: [UInt8], values: Int)?
        for (key, table) in tables {
            for (tag, sketch) in table.tags {
                let isWorse =
                    switch worst {
                    case nil: true
                    case let found?:
                        sketch.estimate > found.values
                            || sketch.estimate == found.values
                                && SeriesKey.compare(key.measurement + [0] + tag, found.measurement + [0] + found.tag)
                                    < 0
                    }
                if isWorse { worst = (key.measurement, tag, sketch.estimate) }
            }
        }
        return worst
    }
}
