import Synchronization

/// How many idempotent producers all partitions remember together: `LogSettings.maximumProducers`.
final class ProducerBudget: Sendable {
    let limit: Int
    private let remembered = Atomic<Int>(0)
    private let forgotten = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { remembered.load(ordering: .relaxed) }
    /// How many were forgotten because of the limit.
    var forgottenCount: Int { forgotten.load(ordering: .relaxed) }
    /// What is left when those that were idle longest have gone.
    var target: Int { limit - limit / 8 }
    /// Whether it is time to forget those that were idle longest, so that a newcomer finds room.
    var isNearlyFull: Bool { count > limit - limit / 16 }

    /// Notes that a partition remembers more or fewer.
    ///
    /// - Returns: how many there are too many in total, or 0.
    func change(by difference: Int) -> Int {
        max(0, remembered.add(difference, ordering: .relaxed).newValue - limit)
    }

    func noteForgotten(_ count: Int) {
        forgotten.add(count, ordering: .relaxed)
    }
}
