/// The span of time that one shard of a retention policy covers; spans begin at multiples of their length since 1970.
public struct ShardWindow: Hashable, Sendable {
    /// The first nanosecond.
    public let start: Int64
    /// The first nanosecond behind it, at most `Int64.max`, which is no time of a point.
    public let end: Int64

    /// The default length: 7 days, as InfluxDB's for policies that keep points for ever.
    public static let defaultNanoseconds: Int64 = 7 * 86_400 * 1_000_000_000

    /// The window of a length that holds a time.
    public init(containing time: Int64, nanoseconds: Int64) {
        let length = max(1, nanoseconds)
        let rest = time % length
        let down = rest >= 0 ? rest : rest + length
        let (start, tooLow) = time.subtractingReportingOverflow(down)
        self.start = tooLow ? .min : start
        // From `time`, so that a start that was cut off does not shift the end.
        let (end, tooHigh) = time.addingReportingOverflow(length - down)
        self.end = tooHigh ? .max : end
    }

    init(start: Int64, end: Int64) {
        self.start = start
        self.end = end
    }

    /// From the first to the last nanosecond.
    var times: ClosedRange<Int64> { start...max(start, end - 1) }
}
