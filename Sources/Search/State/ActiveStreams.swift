/// The streams that had lines lately, by a hash of their labels: what the bound on streams counts. A function of the
/// log alone, whatever was cut when: "lately" is by the time of appending.
struct ActiveStreams: Sendable, Equatable {
    /// The stretches of time that are told apart: a day. A stream counts for one to two days after its last line.
    static let windowMilliseconds: Int64 = 86_400_000
    /// The highest bound that can be set: a manifest carries 8 bytes for each stream, and at most 64 MiB.
    static let maximum: Int64 = 4_000_000

    /// The number of the present stretch.
    private(set) var window: Int64
    /// The streams with lines in it.
    private(set) var current: Set<UInt64>
    /// Those of the stretch before.
    private(set) var previous: Set<UInt64>
    /// How many there are in both together.
    private(set) var count: Int

    init(window: Int64 = .min, current: Set<UInt64> = [], previous: Set<UInt64> = []) {
        self.window = window
        self.current = current
        self.previous = previous
        count = current.union(previous).count
    }

    /// Goes on to the stretch of a moment; never back.
    ///
    /// - Returns: whether a new stretch began.
    mutating func advance(to milliseconds: Int64) -> Bool {
        let next = milliseconds / Self.windowMilliseconds
        // The first batch of all finds no stretch before it.
        guard next > window else { return false }
        previous = window != .min && next - 1 == window ? current : []
        current = []
        window = next
        count = previous.count
        return true
    }

    /// Counts a stream, unless there are as many as are allowed.
    mutating func admit(_ hash: UInt64, limit: Int64) -> Bool {
        if current.contains(hash) { return true }
        if previous.contains(hash) {
            current.insert(hash)
            return true
        }
        guard Int64(count) < min(limit, Self.maximum) else { return false }
        current.insert(hash)
        count += 1
        return true
    }
}
