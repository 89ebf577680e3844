import ArgumentParser
import Glibc
import Machine
import Synchronization

/// A command that ends in good order when it is interrupted (SIGINT, SIGTERM). A second signal ends it at once.
protocol InterruptibleCommand: AsyncParsableCommand {}

/// What a signal that asks a process to end means. `timeout`, shells and container engines signal a process and its group,
/// so that one request arrives twice within microseconds: what comes within a quarter of a second belongs to the first. A
/// person who types Ctrl-C again takes longer.
struct SignalMeaning {
    enum Meaning {
        /// End in good order.
        case first
        /// The first once more.
        case echo
        /// End at once.
        case second
    }

    private static let echoNanoseconds: UInt64 = 250_000_000
    private var firstAt: UInt64?

    /// A signal came at this monotonic time.
    mutating func of(signalAt now: UInt64) -> Meaning {
        guard let firstAt else {
            firstAt = now
            return .first
        }
        return now &- firstAt <= Self.echoNanoseconds ? .echo : .second
    }
}

/// The signals of this process. It is process-wide because signals are.
enum Interruption {
    private struct State {
        var happened = false
        var meaning = SignalMeaning()
        var actions: [@Sendable () -> Void] = []
    }

    private static let state = Mutex(State())
    /// Readable once the process was interrupted: something to `poll` beside an input.
    static let pipe: (reading: Int32, writing: Int32) = {
        var ends: [Int32] = [-1, -1]
        // Without a pipe an interruption still works, but not while a read blocks.
        return Glibc.pipe(&ends) == 0 ? (ends[0], ends[1]) : (-1, -1)
    }()

    /// Whether the process was interrupted.
    static var happened: Bool { state.withLock { $0.happened } }

    /// Calls `action` once when the process is interrupted; at once if it was already.
    static func whenInterrupted(_ action: @escaping @Sendable () -> Void) {
        let now = state.withLock { state in
            if !state.happened { state.actions.append(action) }
            return state.happened
        }
        if now { action() }
    }

    /// Keeps the signals for `waitForSignals`. To be called before any other thread exists, since threads inherit it.
    static func blockSignals() {
        var set = signals()
        pthread_sigmask(SIG_BLOCK, &set, nil)
        _ = pipe
    }

    /// Waits for signals, for good.
    static func waitForSignals() -> Never {
        while true {
            var set = signals()
            var number: Int32 = 0
            guard sigwait(&set, &number) == 0 else { continue }
            interrupt()
        }
    }

    private static func interrupt() {
        let now = Machine.posix().clock.monotonicNanoseconds()
        let (meaning, actions) = state.withLock { state in
            defer {
                state.happened = true
                state.actions = []
            }
            return (state.meaning.of(signalAt: now), state.actions)
        }
        if meaning == .second { _exit(ExitStatus.interrupted) }
        _ = Glibc.write(pipe.writing, "x", 1)
        for action in actions { action() }
    }

    private static func signals() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        return set
    }
}
