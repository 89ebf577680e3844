import Groups
import Instruments
import KafkaWire
import Log
import Logging
import Machine
import NIOPosix

/// What every connection shares. The functions that answer one API each are extensions of it, in files named by the
/// API's key; they are synchronous, may be called on any thread, and those that can wait for the disk say so.
final class Broker: Sendable {
    let log: CommitLog
    let groups: GroupCoordinator
    let settings: KafkaServerSettings
    /// The settings that change while it serves.
    let live: LiveKafkaSettings
    /// The configs of the broker; nil: it tells none, and takes no changes.
    let configuration: (any BrokerConfiguration)?
    let instruments: KafkaInstruments
    let clock: any Clock
    let budget: MemoryBudget
    let sessions: FetchSessionCache
    let logger: Logger
    /// Where requests are worked on that may wait for the disk besides appending.
    let administration: NIOThreadPool

    init(
        log: CommitLog, groups: GroupCoordinator, settings: KafkaServerSettings,
        configuration: (any BrokerConfiguration)?, registry: InstrumentRegistry, clock: any Clock,
        randomness: any Randomness, logger: Logger
    ) {
        self.log = log
        self.groups = groups
        self.settings = settings
        live = LiveKafkaSettings(settings)
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        instruments = KafkaInstruments(registry)
        administration = NIOThreadPool(numberOfThreads: settings.administrationThreads)
        budget = MemoryBudget(capacityBytes: settings.maximumGatheredBytes, gauge: instruments.gatheredBytes)
        sessions = FetchSessionCache(
            settings, instruments.fetchSessions, clock: clock, randomness: randomness)
    }

    /// Tells the bounds beside what is counted against them, so that an alert can compare the two.
    func writeBounds(_ writer: inout ExpositionWriter) {
        writer.family("millrace_kafka_bound", help: "The Kafka listener's bounds.", kind: .gauge)
        let bounds = [
            ("connections", live.maximumConnections),
            ("requests-in-flight-per-connection", settings.maximumRequestsInFlight),
            ("gathered-bytes", settings.maximumGatheredBytes), ("fetch-sessions", settings.maximumFetchSessions),
            ("fetch-session-partitions", settings.maximumFetchSessionPartitions),
        ]
        for (name, value) in bounds { writer.sample(value, labels: [Label("bound", name)]) }
    }

    /// Where the client of a connection is told to connect to.
    func endpoint(for connection: ConnectionAddresses) -> KafkaServerSettings.Endpoint {
        settings.advertised ?? connection.local
    }
}

/// The two ends of a connection.
struct ConnectionAddresses: Sendable {
    /// What the client connected to.
    let local: KafkaServerSettings.Endpoint
    /// The client, for log lines.
    let remote: String
    /// The client's address as groups show it, "/127.0.0.1" in Kafka's notation.
    let clientHost: String
}
