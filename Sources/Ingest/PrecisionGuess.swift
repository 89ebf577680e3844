import Telemetry

/// The unit of timestamps that nobody has stated, guessed as InfluxDB 3 does: from how large the number is.
enum PrecisionGuess {
    /// The unit of the first timestamp among `lines`; nanoseconds if there is none.
    static func precision(of lines: UnsafeRawBufferPointer) -> TimePrecision {
        var parser = LineParser(lines)
        while true {
            switch parser.next() {
            case .point:
                if let time = parser.time { return precision(of: time) }
            case .refused: continue
            case .end: return .nanoseconds
            }
        }
    }

    /// InfluxDB 3's bounds: 5 × 10⁹ seconds lie in the year 2128, as many milliseconds in 1970.
    static func precision(of timestamp: Int64) -> TimePrecision {
        switch timestamp.magnitude {
        case ..<5_000_000_000: .seconds
        case ..<5_000_000_000_000: .milliseconds
        case ..<5_000_000_000_000_000: .microseconds
        default: .nanoseconds
        }
    }
}
