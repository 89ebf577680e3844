import Synchronization

/// Datagrams that wait to be written: bounded, and of those that do not fit the oldest go first, each counted by its
/// sender. The sender of a datagram cannot be asked to wait.
final class DatagramQueue: Sendable {
    struct Datagram: Sendable, Equatable {
        let source: String
        let bytes: [UInt8]
    }

    private struct State {
        var waiting: [Datagram] = []
        var first = 0
        var byteCount = 0
    }

    private let maximumBytes: Int
    private let dropped: @Sendable (_ source: String) -> Void
    private let state = Mutex(State())

    /// - Parameter dropped: called for each datagram that goes unread, with its sender.
    init(maximumBytes: Int, dropped: @escaping @Sendable (_ source: String) -> Void) {
        self.maximumBytes = maximumBytes
        self.dropped = dropped
    }

    /// The bytes that wait.
    var byteCount: Int { state.withLock { $0.byteCount } }

    /// Adds a datagram, in place of the oldest if there is no room.
    func add(_ datagram: Datagram) {
        let gone = state.withLock { state -> [String] in
            var gone: [String] = []
            while state.byteCount + datagram.bytes.count > maximumBytes, state.first < state.waiting.count {
                gone.append(state.waiting[state.first].source)
                state.byteCount -= state.waiting[state.first].bytes.count
                state.first += 1
            }
            state.waiting.append(datagram)
            state.byteCount += datagram.bytes.count
            if state.first > 1_024, state.first * 2 > state.waiting.count {
                state.waiting.removeFirst(state.first)
                state.first = 0
            }
            return gone
        }
        for source in gone { dropped(source) }
    }

    /// Takes datagrams out, oldest first: at least one if there is any, and no more than `limit` bytes otherwise.
    ///
    /// - Returns: their lines, one behind the other.
    func take(limit: Int) -> [UInt8] {
        state.withLock { state in
            var lines: [UInt8] = []
            while state.first < state.waiting.count {
                let bytes = state.waiting[state.first].bytes
                guard lines.isEmpty || lines.count + bytes.count < limit else { break }
                lines += bytes
                if bytes.last != UInt8(ascii: "\n") { lines.append(UInt8(ascii: "\n")) }
                state.byteCount -= bytes.count
                state.first += 1
            }
            if state.first == state.waiting.count {
                state.waiting.removeAll(keepingCapacity: true)
                state.first = 0
            }
            return lines
        }
    }
}
