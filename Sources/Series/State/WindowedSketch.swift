/// A sketch of what has not expired: where a retention policy removes points, one per stretch of time and one of all of
/// them; where points stay for ever, one.
struct WindowedSketch: Sendable, Equatable {
    /// The stretches by their first nanosecond.
    private(set) var windows: [Int64: CardinalitySketch] = [:]
    private(set) var total = CardinalitySketch()
    /// `total.estimate`, kept up to date.
    private(set) var estimate = 0

    init() {}

    init(total: CardinalitySketch, windows: [Int64: CardinalitySketch]) {
        self.total = total
        self.windows = windows
        estimate = total.estimate
    }

    /// Adds a hash.
    ///
    /// - Parameter window: the stretch that it is in, nil where points stay for ever.
    mutating func insert(_ hash: UInt64, window: Int64?) {
        if let window { windows[window, default: CardinalitySketch()].insert(hash) }
        if total.insert(hash) { estimate = total.estimate }
    }

    /// Whether there is a stretch that ended before a time.
    func hasWindow(endingBefore limit: Int64, length: Int64) -> Bool {
        windows.keys.contains { Self.hasEnded($0, length: length, before: limit) }
    }

    /// Forgets the stretches that ended before a time.
    mutating func expire(before limit: Int64, length: Int64) {
        windows = windows.filter { !Self.hasEnded($0.key, length: length, before: limit) }
        var rest = CardinalitySketch()
        for sketch in windows.values { rest.formUnion(sketch) }
        total = rest
        estimate = rest.estimate
    }

    private static func hasEnded(_ start: Int64, length: Int64, before limit: Int64) -> Bool {
        let (end, overflow) = start.addingReportingOverflow(length)
        return !overflow && end < limit
    }
}
