/// The windows of a range aggregation: of the step at T, (T - offset - interval, T - offset].
struct RangeWindows: Sendable {
    let steps: QuerySteps
    let interval: Int64
    let offset: Int64

    /// The last moment in front of the first window.
    var start: Int64 { steps.start &- offset &- interval }
    /// The last moment of the last window.
    var end: Int64 { steps.end &- offset }

    /// The steps whose windows hold a moment.
    @inline(__always)
    func holding(_ time: Int64) -> Range<Int> {
        let distance = time &- (steps.start &- offset)
        let first = max(0, Self.dividedUp(distance, steps.step))
        let end = min(Int64(steps.count), Self.dividedUp(distance &+ interval, steps.step))
        return first < end ? Int(first)..<Int(end) : 0..<0
    }

    /// A division that rounds up.
    @inline(__always)
    private static func dividedUp(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
        return rest > 0 ? quotient + 1 : quotient
    }

    /// The longest buckets of which each lies wholly within or outside of any window: their length and number, from
    /// `start` on.
    var buckets: (nanoseconds: Int64, count: Int) {
        let length = steps.count == 1 ? interval : Self.greatestCommonDivisor(interval, steps.step)
        return (length, Int((end - start) / length))
    }

    private static func greatestCommonDivisor(_ left: Int64, _ right: Int64) -> Int64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}
