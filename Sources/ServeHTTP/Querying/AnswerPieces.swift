import Query
import Synchronization

/// Hands the bytes of an answer from the query that makes them to the connection that sends them. At most one piece
/// waits beyond what the reader asked for at once, which is `firstBytes` until it asks; then the writer waits.
final class AnswerPieces: Sendable {
    /// Some bytes, and whether the answer ends with them.
    struct Taken: Sendable {
        var bytes: [UInt8]
        var isWhole: Bool
    }

    private struct State {
        var bytes: [UInt8] = []
        var wanted = AnswerPieces.firstBytes
        var isFinished = false
        var isClosed = false
        var reader: CheckedContinuation<Taken?, Never>?
        var writer: CheckedContinuation<Bool, Never>?
    }

    /// How many bytes are taken before somebody asks.
    static let firstBytes = 1 << 16

    private let state = Mutex(State())

    /// Adds bytes; waits while enough of them wait for the reader.
    ///
    /// - Throws: `cancelled` if nobody reads any more.
    func put(_ bytes: [UInt8]) async throws(QueryError) {
        let goesOn = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            state.withLock { state in
                guard !state.isClosed else { return continuation.resume(returning: false) }
                state.bytes += bytes
                guard state.bytes.count >= state.wanted else { return continuation.resume(returning: true) }
                if let reader = state.reader {
                    state.reader = nil
                    reader.resume(returning: Taken(bytes: state.bytes, isWhole: false))
                    state.bytes = []
                    continuation.resume(returning: true)
                } else {
                    state.writer = continuation
                }
            }
        }
        guard goesOn else { throw QueryError(.cancelled, "nobody reads the answer") }
    }

    /// The writer is done.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            guard let reader = state.reader else { return }
            state.reader = nil
            reader.resume(returning: Taken(bytes: state.bytes, isWhole: true))
            state.bytes = []
        }
    }

    /// Takes the answer if it is there to its end.
    func takeWhole() -> Taken? {
        state.withLock { state in
            guard state.isFinished else { return nil }
            defer { state.bytes = [] }
            return Taken(bytes: state.bytes, isWhole: true)
        }
    }

    /// Takes so many bytes or more, or all that are left; nil if they are not there in time.
    func take(atLeast count: Int, withinMilliseconds time: UInt64) async -> Taken? {
        let timer = Task {
            try await Task.sleep(nanoseconds: time * 1_000_000)
            state.withLock { state in
                state.reader?.resume(returning: nil)
                state.reader = nil
            }
        }
        defer { timer.cancel() }
        return await wait(atLeast: count)
    }

    /// Takes so many bytes or more, or all that are left.
    func take(atLeast count: Int) async -> Taken {
        // Without a timer nothing but bytes or the end ends the wait.
        await wait(atLeast: count) ?? Taken(bytes: [], isWhole: true)
    }

    private func wait(atLeast count: Int) async -> Taken? {
        await withCheckedContinuation { (continuation: CheckedContinuation<Taken?, Never>) in
            state.withLock { state in
                state.wanted = count
                if state.isFinished || state.isClosed || state.bytes.count >= count {
                    continuation.resume(
                        returning: Taken(bytes: state.bytes, isWhole: state.isFinished || state.isClosed))
                    state.bytes = []
                } else {
                    state.reader = continuation
                }
                state.writer?.resume(returning: !state.isClosed)
                state.writer = nil
            }
        }
    }

    /// The reader has gone: the writer is told at its next piece.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.bytes = []
            state.writer?.resume(returning: false)
            state.writer = nil
            state.reader?.resume(returning: Taken(bytes: [], isWhole: true))
            state.reader = nil
        }
    }
}

/// Whoever reads an answer. When nothing refers to it any more, be the answer read or not, its query ends.
final class AnswerReader: Sendable {
    let pieces: AnswerPieces
    private let running: Task<Void, Never>

    init(pieces: AnswerPieces, running: Task<Void, Never>) {
        self.pieces = pieces
        self.running = running
    }

    deinit {
        pieces.close()
        running.cancel()
    }
}
