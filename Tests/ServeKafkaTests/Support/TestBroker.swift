import Bytes
import Groups
import Instruments
import KafkaWire
import Log
import Logging
import Machine
import MillraceTesting
import NIOCore
import NIOPosix
import Storage
import Testing

@testable import ServeKafka

/// A broker on a commit log in a temporary directory, listening on a free port of loopback.
struct TestBroker {
    let server: KafkaServer
    let log: CommitLog
    let groups: GroupCoordinator
    let registry: InstrumentRegistry
    var address: SocketAddress { server.address }

    /// Runs `body` against a broker, and stops it.
    static func with<Result>(
        settings change: (inout KafkaServerSettings) -> Void = { _ in },
        groups changeGroups: (inout GroupSettings) -> Void = { _ in }, flushes: Bool = true,
        configuration: (any BrokerConfiguration)? = nil, _ body: (TestBroker) async throws -> Result
    ) async throws -> Result {
        let directory = try TemporaryDirectory("serve-kafka")
        let machine = Machine.posix()
        let log = try CommitLog.open(
            directory: directory.path, settings: LogSettings(), machine: machine, metadata: InMemoryMetadataStore())
        if flushes { log.start() }
        var groupSettings = GroupSettings()
        groupSettings.initialRebalanceDelayMilliseconds = 0
        groupSettings.minimumSessionMilliseconds = 100
        changeGroups(&groupSettings)
        let groups = GroupCoordinator(log: log, settings: groupSettings)
        groups.start()
        var settings = KafkaServerSettings()
        settings.port = 0
        change(&settings)
        let registry = InstrumentRegistry()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = try await KafkaServer.start(
            settings: settings, log: log, groups: groups, configuration: configuration, instruments: registry,
            machine: machine,
            eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let broker = TestBroker(server: server, log: log, groups: groups, registry: registry)
        do {
            let result = try await body(broker)
            groups.stop()
            await server.stop(within: 1_000)
            log.close()
            return result
        } catch {
            groups.stop()
            await server.stop(within: 0)
            log.close()
            throw error
        }
    }

    /// Runs `body` with a connection.
    func client<Result>(_ body: (inout WireClient) async throws -> Result) async throws -> Result {
        try await WireClient.with(address, body)
    }

    /// A counter's or gauge's value as `/metrics` shows it.
    func metric(_ line: String) -> Int? { number(line).flatMap(Int.init(exactly:)) }

    /// The same, with its fraction.
    func number(_ line: String) -> Double? {
        registry.render().split(separator: "\n").first { $0.hasPrefix(line + " ") }
            .flatMap { Double($0.dropFirst(line.count + 1)) }
    }

    /// Waits until a metric has a value; false after five seconds.
    func waits(for line: String, toBe value: Int) async throws -> Bool {
        for _ in 0..<500 {
            if metric(line) == value { return true }
            try await Task.sleep(nanoseconds: 10_000_000)
        }
        return false
    }
}

/// A batch of records with these values.
func batch(_ values: [String], timestamp: Int64 = 1_700_000_000_000, template: RecordBatchHeader = .init()) -> [UInt8] {
    var builder = RecordBatchBuilder()
    for value in values { builder.append(key: nil, value: Array(value.utf8), timestamp: timestamp) }
    var writer = ByteWriter()
    do { try builder.finish(into: &writer, template: template) } catch { return [] }
    return writer.array()
}

/// A batch of one record of about this size.
func batch(bytes count: Int) -> [UInt8] {
    batch([String(repeating: "x", count: count)])
}

/// A produce request for one partition.
func produceRequest(
    _ topic: String, id: Uuid = .zero, partition: Int32 = 0, _ records: [UInt8], acks: Int16 = -1
) -> ProduceRequest {
    var part = ProduceRequest.PartitionProduceData()
    part.index = partition
    part.records = .bytes(records)
    var data = ProduceRequest.TopicProduceData()
    data.name = topic
    data.topicId = id
    data.partitionData = [part]
    var request = ProduceRequest()
    request.acks = acks
    request.timeoutMs = 30_000
    request.topicData = [data]
    return request
}

/// A fetch request for partitions of one topic, from an offset each.
func fetchRequest(
    _ topic: String, id: Uuid = .zero, offsets: [Int64] = [0], minBytes: Int32 = 1, maxWait: Int32 = 0,
    maxBytes: Int32 = 1 << 20, partitionMaxBytes: Int32 = 1 << 20
) -> FetchRequest {
    var request = FetchRequest()
    request.minBytes = minBytes
    request.maxWaitMs = maxWait
    request.maxBytes = maxBytes
    var asked = FetchRequest.FetchTopic()
    asked.topic = topic
    asked.topicId = id
    asked.partitions = offsets.enumerated().map { index, offset in
        var part = FetchRequest.FetchPartition()
        part.partition = Int32(index)
        part.fetchOffset = offset
        part.partitionMaxBytes = partitionMaxBytes
        return part
    }
    request.topics = [asked]
    return request
}

/// The values of the records in some batches, with their offsets.
func values(_ bytes: [UInt8]) throws -> [(offset: Int64, value: String)] {
    try bytes.withUnsafeBytes { bytes in
        var found: [(Int64, String)] = []
        var batches = RecordBatches(bytes)
        while let batch = try batches.next() {
            var records = try RecordIterator(batch, decompressionLimit: 1 << 20)
            while let record = try records.next() {
                found.append((record.offset, record.value.map { String(decoding: $0, as: UTF8.self) } ?? ""))
            }
        }
        return found
    }
}

/// `#expect(a == b)` for what throws or waits inside a closure, which the macro does not take.
func expectEqual<Value: Equatable>(
    _ actual: Value, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(actual == expected, sourceLocation: sourceLocation)
}
