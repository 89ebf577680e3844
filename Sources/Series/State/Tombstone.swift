/// What a deletion hides from blocks until compaction has applied it.
struct Tombstone: Sendable, Equatable {
    /// What is gone.
    enum Target: Sendable, Equatable {
        case points(DeletePredicate)
        case measurement([UInt8])
        case retentionPolicy([UInt8])
    }

    /// Where in the log the deletion stands: it concerns what was applied before, which is all of a block whose
    /// `appliedThrough` is not beyond it.
    let offset: Int64
    let target: Target

    /// Whether the deletion may concern a block's points.
    func concerns(_ details: BlockDetails) -> Bool {
        guard details.appliedThrough <= offset else { return false }
        switch target {
        case .points(let predicate):
            return predicate.times.lowerBound <= details.maximumTime
                && details.minimumTime <= predicate.times.upperBound
        case .measurement: return true
        case .retentionPolicy(let name): return name == details.retentionPolicy
        }
    }
}

extension DeletePredicate {
    /// Every point of some measurements.
    init(allOf measurements: [[UInt8]]) {
        self.init(measurements: measurements, tags: [], range: .min ... .max, dropsSeries: true)
    }

    /// Whether points of a measurement may be concerned.
    func concerns(_ measurement: [UInt8]) -> Bool { measurements.isEmpty || measurements.contains(measurement) }

    /// The condition on tags, for whoever evaluates `TagPredicate`s.
    var tagPredicate: TagPredicate {
        .and(tags.map { condition in .or(condition.values.map { .equals(key: condition.key, value: $0) }) })
    }

    /// The times that the deletion concerns: a dropped series has none left.
    var times: ClosedRange<Int64> { dropsSeries ? .min ... .max : range }
}
