internal import Synchronization

/// What a query has read, for the statistics of its answer. Any thread may add.
final class LineCost: Sendable {
    private let lineCount = Atomic(0)
    private let byteCount = Atomic(0)

    func add(lines: Int, bytes: Int) {
        lineCount.add(lines, ordering: .relaxed)
        byteCount.add(bytes, ordering: .relaxed)
    }

    /// Lines that were looked at, or counted by counters.
    var lines: Int { lineCount.load(ordering: .relaxed) }
    /// Their bytes, as far as they were read.
    var bytes: Int { byteCount.load(ordering: .relaxed) }
}
