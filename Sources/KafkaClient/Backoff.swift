/// How long to wait before trying again: doubling from `first` to `most`, spread by ±20 % so that many clients that
/// lost the same broker do not return together (KIP-580).
struct Backoff: Sendable, Equatable {
    let firstMilliseconds: Int64
    let mostMilliseconds: Int64
    private(set) var failures: Int = 0

    init(firstMilliseconds: Int64, mostMilliseconds: Int64) {
        self.firstMilliseconds = firstMilliseconds
        self.mostMilliseconds = mostMilliseconds
    }

    /// Counts a failure and tells how long to wait. `random` is any 64 random bits.
    mutating func failed(random: UInt64) -> Int64 {
        let plain = Self.milliseconds(afterFailures: failures, first: firstMilliseconds, most: mostMilliseconds)
        failures += 1
        let spread = Int64(random % 401) - 200
        return max(1, plain + plain * spread / 1000)
    }

    /// The operation worked: the next failure starts from the shortest wait.
    mutating func succeeded() { failures = 0 }

    /// The wait without its spread.
    static func milliseconds(afterFailures failures: Int, first: Int64, most: Int64) -> Int64 {
        let doublings = min(failures, 30)
        let (value, overflow) = first.multipliedReportingOverflow(by: 1 << Int64(doublings))
        return overflow ? most : min(value, most)
    }
}
