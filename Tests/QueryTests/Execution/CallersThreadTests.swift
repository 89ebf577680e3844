import MillraceTesting
import Query
import Series
import SimulatedMachine
import Synchronization
import Testing

/// What is done on the thread that asks, which may be an event loop's.
@Suite struct CallersThreadTests {
    /// Whether a query ends before its task gives the thread back.
    private func staysOnThread(_ text: String, parts: Int = 1) async throws -> Bool {
        let shape = MemoryShape(parts: parts, batchPoints: 100)
        let databases = try await ExecutorTests.databases((0..<100).map { "m,h=h v=\($0)i,s=\"a\" \($0)" }, shape)
        let service = InfluxQLService(
            directory: databases, administration: databases,
            running: RunningQueries(clock: FixedClock()), clock: FixedClock())
        let request = InfluxQLRequest(text, database: "db")
        let statements = try service.parse(request)
        let hasEnded = Atomic(false)
        let running = Task.immediate {
            try await service.run(statements, request) { _ throws(QueryError) in }
            hasEnded.store(true, ordering: .relaxed)
        }
        let soon = hasEnded.load(ordering: .relaxed)
        try await running.value
        return soon
    }

    @Test func smallSelectsStay() async throws {
        #expect(try await staysOnThread("SELECT v FROM m"))
        #expect(try await staysOnThread("SELECT max(v) FROM m WHERE time >= 0 AND time < 60 GROUP BY time(10ns)"))
        #expect(try await staysOnThread("SELECT v FROM nothing"))
    }

    @Test func everythingElseLeaves() async throws {
        #expect(try await !staysOnThread("SELECT v FROM m", parts: 3))
        #expect(try await !staysOnThread("SELECT count(v) FROM m", parts: 3))
        #expect(try await !staysOnThread("SHOW MEASUREMENTS"))
        #expect(try await !staysOnThread("SELECT v FROM m; SELECT v FROM m"))
        #expect(try await !staysOnThread("SELECT v FROM /m/"))
        #expect(try await !staysOnThread("SELECT v FROM m WHERE s =~ /a/"))
        #expect(try await !staysOnThread("SELECT v FROM m WHERE h =~ /h/"))
        #expect(try await !staysOnThread("SELECT max(v) FROM m WHERE time >= 0 AND time < 1ms GROUP BY time(1ns)"))
    }
}
