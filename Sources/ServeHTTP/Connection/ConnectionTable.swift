import NIOCore
import Synchronization

/// The connections that are open, over all event loops, and which of them has to make room for a new one.
final class ConnectionTable: Sendable {
    private struct Entry {
        let evict: @Sendable () -> Void
        /// Since when it has no request to answer; nil while it has one.
        var idleSince: NIODeadline?
    }

    private let maximum: Int
    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    init(maximum: Int) {
        self.maximum = maximum
    }

    var count: Int { entries.withLock { $0.count } }

    /// Gives a new connection a place. If none is free, the connection that has had no request to answer for longest
    /// is evicted; if all have one, there is no place.
    ///
    /// `evict` may be called on any thread.
    ///
    /// - Returns: whether it has a place.
    func admit(_ id: ObjectIdentifier, now: NIODeadline, evict: @escaping @Sendable () -> Void) -> Bool {
        let (isAdmitted, evicted) = entries.withLock { entries -> (Bool, Entry?) in
            var evicted: Entry?
            if entries.count >= maximum {
                // 256 entries are looked through in less time than closing the connection takes.
                guard let longest = Self.longestIdle(entries) else { return (false, nil) }
                evicted = entries.removeValue(forKey: longest)
            }
            entries[id] = Entry(evict: evict, idleSince: now)
            return (true, evicted)
        }
        evicted?.evict()
        return isAdmitted
    }

    /// A connection has a request to answer (nil), or has none since then.
    func set(_ id: ObjectIdentifier, idleSince: NIODeadline?) {
        entries.withLock { $0[id]?.idleSince = idleSince }
    }

    /// A connection is closed. One that was evicted, or never had a place, is not there any more.
    func remove(_ id: ObjectIdentifier) {
        entries.withLock { _ = $0.removeValue(forKey: id) }
    }

    private static func longestIdle(_ entries: [ObjectIdentifier: Entry]) -> ObjectIdentifier? {
        entries.min { ($0.value.idleSince ?? .distantFuture) < ($1.value.idleSince ?? .distantFuture) }
            .flatMap { $0.value.idleSince == nil ? nil : $0.key }
    }
}
