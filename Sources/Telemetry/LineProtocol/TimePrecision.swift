/// The unit in which the timestamps of lines count.
public enum TimePrecision: Sendable, CaseIterable {
    case nanoseconds
    case microseconds
    case milliseconds
    case seconds
    case minutes
    case hours

    /// How many nanoseconds one unit has.
    public var nanoseconds: Int64 {
        switch self {
        case .nanoseconds: 1
        case .microseconds: 1_000
        case .milliseconds: 1_000_000
        case .seconds: 1_000_000_000
        case .minutes: 60_000_000_000
        case .hours: 3_600_000_000_000
        }
    }

    /// The name in InfluxDB 1.x's requests and in the header `precision` of records: `ns`, `u`, `ms`, `s`, `m`, `h`.
    public var name: String {
        switch self {
        case .nanoseconds: "ns"
        case .microseconds: "u"
        case .milliseconds: "ms"
        case .seconds: "s"
        case .minutes: "m"
        case .hours: "h"
        }
    }

    /// The precision that a name of InfluxDB 1.x, 2.x or 3.x stands for, any of `n`, `ns`, `nanosecond`, `u`, `us`, `µ`,
    /// `microsecond`, `ms`, `millisecond`, `s`, `second`, `m`, `minute`, `h`, `hour`; nil for others.
    public init?(name: some StringProtocol) {
        switch name {
        case "n", "ns", "nanosecond": self = .nanoseconds
        case "u", "us", "µ", "microsecond": self = .microseconds
        case "ms", "millisecond": self = .milliseconds
        case "s", "second": self = .seconds
        case "m", "minute": self = .minutes
        case "h", "hour": self = .hours
        default: return nil
        }
    }

    /// The time range of InfluxDB: two less at the lower and one less at the upper end than 64 bits hold.
    public static let times: ClosedRange<Int64> = (Int64.min + 2)...(Int64.max - 1)

    /// A number of units in nanoseconds since 1970; nil if outside of `times`.
    @inlinable
    public func time(_ count: Int64) -> Int64? {
        let (time, overflow) = count.multipliedReportingOverflow(by: nanoseconds)
        return overflow || time < Int64.min + 2 || time == Int64.max ? nil : time
    }
}
