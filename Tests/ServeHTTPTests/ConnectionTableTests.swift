import NIOCore
import Synchronization
import Testing

@testable import ServeHTTP

@Suite struct ConnectionTableTests {
    /// Only its identity counts.
    private final class Connection: Sendable {}

    private let table = ConnectionTable(maximum: 2)
    private let evicted = Evicted()

    private final class Evicted: Sendable {
        let names = Mutex<[String]>([])
    }

    private func admit(_ connection: Connection, _ name: String, at time: UInt64) -> Bool {
        let evicted = evicted
        return table.admit(ObjectIdentifier(connection), now: .uptimeNanoseconds(time)) {
            evicted.names.withLock { $0.append(name) }
        }
    }

    private func set(_ connection: Connection, idleSince time: UInt64?) {
        table.set(ObjectIdentifier(connection), idleSince: time.map { .uptimeNanoseconds($0) })
    }

    @Test func theLongestIdleMakesRoom() {
        let (a, b, c) = (Connection(), Connection(), Connection())
        #expect(admit(a, "a", at: 1))
        #expect(admit(b, "b", at: 2))
        set(a, idleSince: nil)
        set(a, idleSince: 3)
        #expect(admit(c, "c", at: 4))
        #expect(evicted.names.withLock { $0 } == ["b"])
        #expect(table.count == 2)
    }

    @Test func whoeverHasARequestStays() {
        let (a, b, c) = (Connection(), Connection(), Connection())
        #expect(admit(a, "a", at: 1))
        #expect(admit(b, "b", at: 2))
        set(a, idleSince: nil)
        set(b, idleSince: nil)
        #expect(!admit(c, "c", at: 3))
        #expect(evicted.names.withLock { $0 } == [])
        table.remove(ObjectIdentifier(c))
        #expect(table.count == 2)
        table.remove(ObjectIdentifier(a))
        #expect(admit(c, "c", at: 4))
        #expect(evicted.names.withLock { $0 } == [])
    }
}
