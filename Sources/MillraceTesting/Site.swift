package import Bytes
import KafkaWire
package import Log
import Machine
package import SimulatedMachine
package import Storage
package import Synchronization

/// A log on a simulated machine, with what tests keep typing otherwise.
package final class Site: Sendable {
    package let simulation: SimulatedMachine
    package let metadata: InMemoryMetadataStore
    package let events = Mutex<[LogEvent]>([])

    package init(seed: UInt64 = 1) {
        simulation = SimulatedMachine(seed: seed)
        metadata = InMemoryMetadataStore()
    }

    /// Another log on the same machine.
    package init(_ simulation: SimulatedMachine) {
        self.simulation = simulation
        metadata = InMemoryMetadataStore()
    }

    package func open(_ settings: LogSettings = LogSettings()) throws -> CommitLog {
        try CommitLog.open(
            directory: "/data", settings: settings, machine: simulation.machine, metadata: metadata
        ) { [self] event in events.withLock { $0.append(event) } }
    }

    /// A log with one topic of one partition.
    package func openWithTopic(
        _ settings: LogSettings = LogSettings(), _ configs: [String: String] = [:]
    ) throws -> (CommitLog, Partition) {
        let log = try open(settings)
        let topic = try log.topic(named: "t") ?? log.createTopic("t", partitions: 1, configs: configs)
        return (log, topic.partitions[0])
    }

    package func messages() -> [String] { events.withLock { $0.map(\.message) } }

    /// The names of a directory's entries.
    package func names(_ directory: String = "/data/log/t/0") throws -> [String] {
        try simulation.machine.files.contents(ofDirectory: directory)
    }

    package func contents(_ path: String) throws -> [UInt8] {
        let file = try simulation.machine.files.open(path, .read)
        var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
        _ = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        return bytes
    }

    package func overwrite(_ path: String, at position: Int64, with bytes: [UInt8]) throws {
        let file = try simulation.machine.files.open(path, .readWrite)
        try bytes.withUnsafeBytes { try file.write($0, at: position) }
        try file.synchronize()
    }

    package func truncate(_ path: String, to size: Int64) throws {
        let file = try simulation.machine.files.open(path, .readWrite)
        try file.truncate(to: size)
        try file.synchronize()
    }
}

/// The time at which a simulated machine begins.
package let epochStart: Int64 = 1_700_000_000_000

/// A batch as a producer sends it.
package func batch(
    _ values: [String], timestamp: Int64 = epochStart, producer: Int64 = -1, epoch: Int16 = -1, sequence: Int32 = -1,
    compression: Compression = .none
) throws -> [UInt8] {
    var builder = RecordBatchBuilder()
    for (index, value) in values.enumerated() {
        builder.append(key: nil, value: Array(value.utf8), timestamp: timestamp + Int64(index))
    }
    var header = RecordBatchHeader()
    header.producerId = producer
    header.producerEpoch = epoch
    header.baseSequence = sequence
    var writer = ByteWriter()
    try builder.finish(into: &writer, compression: compression, template: header)
    return writer.array()
}

/// A batch of one record with a key.
package func keyedBatch(_ key: [UInt8]?, _ value: [UInt8]?, timestamp: Int64 = epochStart) throws -> [UInt8] {
    var builder = RecordBatchBuilder()
    builder.append(key: key, value: value, timestamp: timestamp)
    var writer = ByteWriter()
    try builder.finish(into: &writer)
    return writer.array()
}

extension Partition {
    /// Appends bytes that nobody else holds.
    @discardableResult
    package func append(_ bytes: [UInt8], _ durability: Durability = .flushInterval) throws -> AppendResult {
        var bytes = bytes
        return try bytes.withUnsafeMutableBytes { try append($0, durability: durability) }
    }

    /// The values from `offset` on, as far as one read goes.
    package func values(from offset: Int64 = 0, maximumBytes: Int = 1 << 20) throws -> [String] {
        try records(from: offset, maximumBytes: maximumBytes).map(\.value)
    }

    package func records(from offset: Int64 = 0, maximumBytes: Int = 1 << 20) throws -> [(offset: Int64, value: String)]
    {
        let slice = try read(from: offset, maximumBytes: maximumBytes, atLeastOneBatch: true)
        var bytes = [UInt8](repeating: 0, count: slice.count)
        _ = try bytes.withUnsafeMutableBytes { try slice.read(into: $0) }
        var result: [(offset: Int64, value: String)] = []
        try bytes.withUnsafeBytes { bytes in
            var batches = RecordBatches(bytes)
            while let batch = try batches.next() {
                try batch.validateChecksum()
                var records = try RecordIterator(batch, decompressionLimit: 1 << 20)
                while let record = try records.next() {
                    result.append(
                        (
                            record.offset,
                            String(
                                decoding: record.value ?? UnsafeRawBufferPointer(start: nil, count: 0), as: UTF8.self)
                        ))
                }
            }
        }
        return result
    }

    /// Every value below the high watermark, read in pieces of `maximumBytes`.
    package func allValues(maximumBytes: Int = 1 << 20) throws -> [String] {
        var values: [String] = []
        var offset = logStartOffset
        while offset < highWatermark {
            let records = try records(from: offset, maximumBytes: maximumBytes).filter { $0.offset >= offset }
            guard let last = records.last else { break }
            values += records.map(\.value)
            offset = last.offset + 1
        }
        return values
    }
}

/// Counts the calls of a waiter.
package final class Bell: SyncWaiter, ReadWaiter {
    package init() {}

    package let calls = Mutex<[LogError.Code?]>([])

    package func synced(_ error: LogError?) { calls.withLock { $0.append(error?.code) } }
    package func readable() { calls.withLock { $0.append(nil) } }
    package var count: Int { calls.withLock { $0.count } }
    package var codes: [LogError.Code?] { calls.withLock { $0 } }
}
