import Log
import Synchronization

extension PartitionView {
    /// Slices that are applied in one turn, before others get theirs.
    private static let stepsPerTurn = 8

    /// Gets turns from these workers from now on.
    func start(applying: ViewWorker, background: ViewWorker) {
        let applyingSeat = ViewWorker.Seat(at: applying) { [weak self] in
            applying.buffer.withLock { self?.turnApplying(&$0) } ?? .wait(untilMilliseconds: nil)
        }
        let backgroundSeat = ViewWorker.Seat(at: background) { [weak self] in
            self?.stepBackground() ?? .wait(untilMilliseconds: nil)
        }
        core.withLock { core in
            core.applyingSeat = applyingSeat
            core.backgroundSeat = backgroundSeat
        }
        applyingSeat.request()
        backgroundSeat.request()
    }

    /// Ends it: whoever waits gets `.closed`. What is not committed is applied again by the next start. Waits for the
    /// steps at hand.
    func close() {
        let (seats, released) = core.withLock { core in
            core.isClosed = true
            return ([core.applyingSeat, core.backgroundSeat], core.waiters.releaseAll(closed))
        }
        for seat in seats { seat?.leave() }
        for (body, result) in released { body(result) }
        applying.withLock { _ in }
        background.withLock { _ in }
    }

    /// Stops applying, cutting and compacting; whoever waits gets `.closed`. What is being written is still committed.
    func pause() {
        let released = core.withLock { core in
            core.state.isPaused = true
            return core.waiters.releaseAll(ViewError(.closed, "the view of \(label) is paused"))
        }
        for (body, result) in released { body(result) }
    }

    /// Goes on after `pause`.
    func resume() {
        core.withLock { $0.state.isPaused = false }
        wakeApplying()
        wakeBackground()
    }

    /// Cuts the head at the next occasion, whatever its size.
    public func cutSoon() {
        core.withLock { $0.state.cutSoon() }
        wakeApplying()
    }

    func wakeApplying() { core.withLock { $0.applyingSeat }?.request() }
    func wakeBackground() { core.withLock { $0.backgroundSeat }?.request() }

    private func turnApplying(_ buffer: inout ReadBuffer) -> ViewWorker.Next {
        // A batch that is larger than what is read at once must not keep its memory for ever.
        defer { buffer.shrink(toAtMost: settings.readBytes) }
        for _ in 0..<Self.stepsPerTurn {
            guard case .wait(let time) = stepApplying(&buffer) else { continue }
            if !subscribe() { return .again }
            let deadline = expireWaiters()
            guard let time, let deadline else { return .wait(untilMilliseconds: time ?? deadline) }
            return .wait(untilMilliseconds: min(time, deadline))
        }
        _ = expireWaiters()
        return .again
    }

    /// Lets the log tell when there is more to read.
    ///
    /// - Returns: false if there is already.
    private func subscribe() -> Bool {
        let offset: Int64? = core.withLock { core in
            let isDone = core.state.applied >= core.state.readable
            guard isDone, !core.isSubscribed, !core.isClosed, !core.state.isPaused else { return nil }
            core.isSubscribed = true
            return core.state.applied
        }
        guard let offset else { return true }
        do throws(LogError) {
            if try partition.notifyWhenReadable(beyond: offset, ReadSignal(self)) != nil { return true }
            core.withLock { $0.isSubscribed = false }
            return false
        } catch {
            core.withLock { core in
                core.isSubscribed = false
                core.applyingSeat?.request(atMilliseconds: now + settings.retryMilliseconds)
            }
            return true
        }
    }

    fileprivate func becameReadable() {
        core.withLock { $0.isSubscribed = false }
        wakeApplying()
    }
}

/// Wakes a view when its partition has more to read.
private final class ReadSignal: ReadWaiter {
    private let view: WeakView

    init(_ view: PartitionView) { self.view = WeakView(view) }

    func readable() { view.value?.becameReadable() }
}

private struct WeakView: Sendable {
    private(set) weak var value: PartitionView?

    init(_ value: PartitionView) { self.value = value }
}
