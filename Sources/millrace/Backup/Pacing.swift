import Glibc
import NIOCore
import Synchronization

/// Shows how far a backup or a restore is, and keeps it from reading faster than it may.
final class Pacing: Sendable {
    /// The lowest rate, in bytes per second: one piece of 1 MiB a second.
    static let minimumRate = 1 << 20

    private struct State: Sendable {
        var bytes: Int64 = 0
        var progress = Progress()
    }

    private let bytesPerSecond: Int?
    private let totalBytes: Int64?
    private let started = NIODeadline.now()
    private let state = Mutex(State())

    /// - Parameter totalBytes: what there is to be read, if it is known.
    init(bytesPerSecond: Int?, totalBytes: Int64? = nil) {
        self.bytesPerSecond = bytesPerSecond
        self.totalBytes = totalBytes
    }

    /// Notes that so many bytes were read, and waits as long as the rate demands.
    func passed(_ count: Int) {
        let now = NIODeadline.now()
        let bytes = state.withLock { state in
            state.bytes += Int64(count)
            if state.progress.isDue(now: now) { state.progress.show(line(state, now), now: now) }
            return state.bytes
        }
        guard let bytesPerSecond else { return }
        let due = started + .nanoseconds(Int64(Double(bytes) / Double(bytesPerSecond) * 1e9))
        let wait = (due - now).nanoseconds
        if wait > 0 { usleep(UInt32(min(wait / 1_000, 10_000_000))) }
    }

    /// Removes the line.
    func clear() { state.withLock { $0.progress.clear() } }

    private func line(_ state: State, _ now: NIODeadline) -> String {
        let rate = Amount.bytes(Double(state.bytes) / max(0.001, state.progress.seconds(now: now)))
        let share = totalBytes.map { "\(100 * state.bytes / max(1, $0)) % of \(Amount.bytes(Double($0)))" }
        return "\(share ?? Amount.bytes(Double(state.bytes))), \(rate)/s"
    }
}
