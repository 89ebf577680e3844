internal import Telemetry

/// The moments that a metric query is evaluated at, in nanoseconds since 1970: one for an instant query.
struct QuerySteps: Sendable, Equatable {
    /// The first moment.
    var start: Int64
    /// From one to the next; at least 1.
    var step: Int64
    /// How many there are; at least 1.
    var count: Int

    /// One moment.
    init(at moment: Int64) { (start, step, count) = (moment, 1, 1) }

    /// From `start` on, not behind `end`.
    init(start: Int64, end: Int64, step: Int64) {
        self.start = start
        self.step = max(1, step)
        count = end < start ? 1 : Int((end - start) / self.step) + 1
    }

    /// A moment.
    func time(_ index: Int) -> Int64 { start &+ Int64(index) &* step }
    /// The last moment.
    var end: Int64 { time(count - 1) }
}

/// Numbers by labels and moment. A number that is not there is `absent`, a NaN that no arithmetic makes.
struct SeriesMatrix: Sendable {
    /// Prometheus's mark of a stale series.
    static let absentBits: UInt64 = 0x7FF0_0000_0000_0002
    /// No number.
    static let absent = Double(bitPattern: absentBits)

    /// One set of labels.
    struct Series: Sendable {
        var labels: StreamLabels
        /// One per moment.
        var values: [Double]
    }

    /// Each set of labels once at most at any moment.
    var series: [Series] = []

    /// Sorts by the labels, as Loki's answers are.
    mutating func sortByLabels() { series.sort { $0.labels.precedes($1.labels) } }

    /// Leaves out series without any number.
    mutating func removeEmpty() { series.removeAll { !$0.values.contains { !$0.isAbsent } } }
}

extension Double {
    /// Whether it stands for no number.
    @inline(__always)
    var isAbsent: Bool { bitPattern == SeriesMatrix.absentBits }
}

extension StreamLabels {
    /// Prometheus's order: name and value of the first label, then of the second; the shorter first.
    func precedes(_ other: StreamLabels) -> Bool {
        for (left, right) in zip(labels, other.labels) {
            if left.name != right.name { return left.name.utf8.lexicographicallyPrecedes(right.name.utf8) }
            if left.value != right.value { return left.value.utf8.lexicographicallyPrecedes(right.value.utf8) }
        }
        return labels.count < other.labels.count
    }

    /// Only these labels.
    func keeping(_ names: [String]) -> StreamLabels {
        StreamLabels(labels.filter { names.contains($0.name) })
    }

    /// All but these labels.
    func dropping(_ names: [String]) -> StreamLabels {
        StreamLabels(labels.filter { !names.contains($0.name) })
    }

    /// With a label set, or removed by "".
    func setting(_ name: String, _ value: String) -> StreamLabels {
        StreamLabels(labels.filter { $0.name != name } + [Label(name, value)])
    }

    /// What a grouping leaves.
    func grouped(_ grouping: Grouping) -> StreamLabels {
        grouping.isWithout ? dropping(grouping.labels) : keeping(grouping.labels)
    }
}
