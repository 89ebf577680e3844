import Groups
import Instruments
import KafkaClient
import Log
import Logging
import Machine
import MillraceTesting
import NIOCore
import NIOPosix
import ServeKafka
import Storage

/// A Millrace server in this process, on a directory of its own, that is stopped when the body is over.
struct ServerUnderTest: Sendable {
    /// Where it listens, `127.0.0.1:PORT`.
    let address: String
    let port: Int
    let instruments: InstrumentRegistry

    /// Serves while `body` runs. `advertisedPort` is what it tells clients to connect to, if not its own port.
    static func run<Value>(
        advertisedPort: Int? = nil, partitions: Int32 = 1, _ body: (ServerUnderTest) async throws -> Value
    ) async throws -> Value {
        let directory = try TemporaryDirectory("client")
        let machine = Machine.posix()
        let metadata = InMemoryMetadataStore()
        let log = try CommitLog.open(
            directory: directory.path, settings: LogSettings(), machine: machine, metadata: metadata)
        log.start()
        defer { log.close() }
        var settings = KafkaServerSettings()
        settings.port = 0
        settings.defaultPartitions = partitions
        settings.advertised = advertisedPort.map { .init(host: "127.0.0.1", port: $0) }
        let groups = GroupCoordinator(log: log)
        groups.start()
        defer { groups.stop() }
        let instruments = InstrumentRegistry()
        let server = try await KafkaServer.start(
            settings: settings, log: log, groups: groups, instruments: instruments, machine: machine,
            eventLoops: MultiThreadedEventLoopGroup.singleton, logger: quietLogger)
        let port = server.address.port ?? 0
        do {
            let value = try await body(
                ServerUnderTest(address: "127.0.0.1:\(port)", port: port, instruments: instruments))
            await server.stop(within: 1_000)
            return value
        } catch {
            await server.stop(within: 1_000)
            throw error
        }
    }

    /// A client of this server, closed when the body is over.
    func withClient<Value>(
        through address: String? = nil, _ body: (KafkaClient) async throws -> Value
    ) async throws -> Value {
        var settings = ClientSettings(bootstrap: [address ?? self.address])
        settings.operationTimeoutMilliseconds = 10_000
        settings.requestTimeoutMilliseconds = 5_000
        settings.retryBackoffMilliseconds = 10...100
        settings.reconnectBackoffMilliseconds = 5...50
        let client = try KafkaClient(settings, logger: quietLogger)
        do {
            let value = try await body(client)
            await client.close()
            return value
        } catch {
            await client.close()
            throw error
        }
    }
}

/// Logs nothing.
let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
