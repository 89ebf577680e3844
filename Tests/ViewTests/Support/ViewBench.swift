import Bytes
import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Synchronization

@testable import View

/// A log with one view topic on a simulated machine, and the view of its only partition, driven by hand.
final class ViewBench {
    static let directory = "/data"
    static let topicName = "metrics.test"

    let simulated: SimulatedMachine
    let metadata = InMemoryMetadataStore()
    var settings = ViewSettings()
    private(set) var log: CommitLog
    private(set) var topic: Topic
    private(set) var view: PartitionView
    private(set) var engine: RecordEngine
    let told = Mutex<[String]>([])

    init(seed: UInt64 = 1, settings: ViewSettings = ViewSettings(), configs: [String: String] = [:]) throws {
        simulated = SimulatedMachine(seed: seed)
        self.settings = settings
        log = try Self.openLog(simulated, metadata)
        topic = try log.createTopic(
            Self.topicName, partitions: 1,
            configs: ["millrace.view": "series"].merging(configs) { $1 })
        engine = RecordEngine()
        view = try Self.openView(topic, engine, settings, simulated, told)
    }

    static func openLog(_ simulated: SimulatedMachine, _ metadata: InMemoryMetadataStore) throws -> CommitLog {
        try CommitLog.open(
            directory: directory, settings: LogSettings(), machine: simulated.machine,
            metadata: SimulatedMetadataStore(metadata, on: simulated))
    }

    private static func openView(
        _ topic: Topic, _ engine: RecordEngine, _ settings: ViewSettings, _ simulated: SimulatedMachine,
        _ told: borrowing Mutex<[String]>
    ) throws -> PartitionView {
        let partition = topic.partitions[0]
        let place = ViewDirectory(data: directory, topicID: topic.id, partition: 0)
        let view = try PartitionView(
            of: partition, at: place, engine: engine, settings: settings, machine: simulated.machine,
            hooks: .init(covered: { try? partition.hold(from: $0, limitBytes: settings.holdBytes) }))
        _ = try partition.resume(at: view.covered)
        try partition.hold(from: view.covered, limitBytes: settings.holdBytes)
        return view
    }

    var partition: Partition { topic.partitions[0] }

    /// Appends one batch with these values, as a client does.
    @discardableResult
    func append(_ values: [String], headers: [RecordHeader] = []) throws -> AppendResult {
        var builder = RecordBatchBuilder()
        for value in values { builder.append(key: nil, value: Array(value.utf8), headers: headers, timestamp: 1) }
        var writer = ByteWriter()
        try builder.finish(into: &writer)
        return try writer.withUnsafeMutableBytes { bytes throws(LogError) in
            try partition.append(bytes, durability: .now)
        }
    }

    func flush() { log.flushDirty() }

    /// Lets the applying hand work until it waits.
    func apply() {
        var buffer = ReadBuffer()
        while view.stepApplying(&buffer) == .again {
            if case .reading? = view.core.withLock({ $0.state.stall }) { return }
        }
    }

    /// Lets both hands work until both wait.
    func settle() {
        for _ in 0..<100 {
            apply()
            var steps = 0
            while view.stepBackground() == .again, steps < 50 { steps += 1 }
            if steps == 0 { return }
        }
    }

    /// Ends the process, and starts the next one.
    func restart(powerCut: Bool = true) throws {
        view.close()
        if powerCut { simulated.cutPower() } else { simulated.crash() }
        try reopen()
    }

    func reopen() throws {
        log = try Self.openLog(simulated, metadata)
        guard let found = log.topic(named: Self.topicName) else { throw ViewError(.unknown, "the topic is gone") }
        topic = found
        engine = RecordEngine()
        view = try Self.openView(topic, engine, settings, simulated, told)
    }

    /// The log's records by offset, read as a consumer does.
    func content(from start: Int64, to end: Int64) throws -> [Int64: (value: String, isControl: Bool)] {
        var found: [Int64: (value: String, isControl: Bool)] = [:]
        var buffer = ReadBuffer()
        var next = start
        while next < end {
            try buffer.fill(from: partition.read(from: next, maximumBytes: 4_096, atLeastOneBatch: true))
            var batches = RecordBatches(buffer.bytes)
            while let batch = try batches.next() {
                var records = try RecordIterator(batch, decompressionLimit: 1 << 20)
                while let record = try records.next() {
                    let value = String(decoding: record.value.map(Array.init) ?? [], as: UTF8.self)
                    found[record.offset] = (value, batch.header.attributes.isControl)
                }
                next = batch.header.nextOffset
            }
        }
        return found
    }

    var values: [String] { engine.visible.map(\.value) }
}
