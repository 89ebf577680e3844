import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Log

@Suite struct LogSettingsTests {
    private static let mistakes: [(String, @Sendable (inout LogSettings) -> Void)] = [
        ("nodeID is -1, and must be from 0 to 2147483647", { $0.nodeID = -1 }),
        ("maximumPartitionsPerTopic is 0,", { $0.maximumPartitionsPerTopic = 0 }),
        ("maximumPartitions is 1000001,", { $0.maximumPartitions = 1_000_001 }),
        ("maximumOpenSegments is 0,", { $0.maximumOpenSegments = 0 }),
        ("maximumProducersPerPartition is 0,", { $0.maximumProducersPerPartition = 0 }),
        ("maximumProducers is -5,", { $0.maximumProducers = -5 }),
        ("maximumSyncWaitersPerPartition is 0,", { $0.maximumSyncWaitersPerPartition = 0 }),
        ("maximumReadWaitersPerPartition is 0,", { $0.maximumReadWaitersPerPartition = 0 }),
        ("flusherThreads is 257,", { $0.flusherThreads = 257 }),
        ("snapshotIntervalBytes is 0,", { $0.snapshotIntervalBytes = 0 }),
        ("journalBytes is 268435457,", { $0.journalBytes = 268_435_457 }),
        ("journalMinimumPartitions is 0,", { $0.journalMinimumPartitions = 0 }),
        ("journalRoundBytes is -1,", { $0.journalRoundBytes = -1 }),
        ("diskReserveBytes is -1,", { $0.diskReserveBytes = -1 }),
        ("producerExpirationMilliseconds is 0,", { $0.producerExpirationMilliseconds = 0 }),
        ("checkpointIntervalMilliseconds is -1,", { $0.checkpointIntervalMilliseconds = -1 }),
        ("retentionIntervalMilliseconds is 9223372036854775807,", { $0.retentionIntervalMilliseconds = .max }),
        ("diskCheckIntervalMilliseconds is 0,", { $0.diskCheckIntervalMilliseconds = 0 }),
        ("diskShareIntervalMilliseconds is 0,", { $0.diskShareIntervalMilliseconds = 0 }),
        ("segment.bytes is a number from 14 to", { $0.topicDefaults.segmentBytes = 13 }),
        ("retention.ms is a number from -1 to", { $0.topicDefaults.retentionMilliseconds = -2 }),
    ]

    @Test(arguments: mistakes.indices)
    func aFieldOutOfRangeIsNamedWithItsRange(index: Int) throws {
        let (message, change) = Self.mistakes[index]
        var settings = LogSettings()
        change(&settings)
        let site = Site()
        let error = #expect(throws: LogError.self) { _ = try site.open(settings) }
        #expect(
            error?.code == .invalidConfig && error?.message.hasPrefix(message) == true, "\(String(describing: error))")
        #expect(try site.simulation.machine.files.information(at: "/data") == nil, "nothing was created")
    }

    @Test func theDefaultsAreInRange() throws {
        try LogSettings().validate()
    }
}
