import Bytes
import KafkaWire
import Log
import Machine
import MillraceTesting
import Storage
import Synchronization
import View

/// A log and its views on the real machine, with their threads.
final class ViewsSite {
    let directory: TemporaryDirectory
    let metadata = InMemoryMetadataStore()
    let machine = Machine.posix()
    let kind = RecordKind()
    var settings = ViewSettings()
    private(set) var log: CommitLog
    private(set) var views: Views
    let told = Told.Lines()

    init(_ settings: ViewSettings = ViewSettings()) throws {
        directory = try TemporaryDirectory("views")
        self.settings = settings
        log = try CommitLog.open(
            directory: directory.path, settings: LogSettings(), machine: machine, metadata: metadata)
        views = Self.make(log, machine, settings, kind, told)
    }

    private static func make(
        _ log: CommitLog, _ machine: Machine, _ settings: ViewSettings, _ kind: RecordKind, _ told: Told.Lines
    ) -> Views {
        let views = Views(log: log, machine: machine, settings: settings, kinds: [.series: kind]) {
            told.note("\($0) \($1): \($2)")
        }
        views.open()
        log.start()
        views.start()
        return views
    }

    func restart() throws {
        close()
        log = try CommitLog.open(
            directory: directory.path, settings: LogSettings(), machine: machine, metadata: OpenStore(metadata))
        views = Self.make(log, machine, settings, kind, told)
    }

    func close() {
        views.stop()
        log.close()
    }

    func createTopic(_ name: String, partitions: Int32 = 1, _ configs: [String: String] = [:]) throws -> Topic {
        try log.createTopic(
            name, partitions: partitions, configs: ["millrace.view": "series"].merging(configs) { $1 })
    }

    @discardableResult
    func append(_ values: [String], to partition: Partition, headers: [RecordHeader] = []) throws -> Range<Int64> {
        try Self.append(values, to: partition, headers: headers)
    }

    @discardableResult
    static func append(
        _ values: [String], to partition: Partition, headers: [RecordHeader] = [],
        noting note: (Range<Int64>) -> Void = { _ in }
    ) throws -> Range<Int64> {
        var builder = RecordBatchBuilder()
        for value in values { builder.append(key: nil, value: Array(value.utf8), headers: headers, timestamp: 1) }
        var writer = ByteWriter()
        try builder.finish(into: &writer)
        let result = try writer.withUnsafeMutableBytes { bytes throws(LogError) in
            try partition.append(bytes, durability: .now, noting: note)
        }
        return result.baseOffset..<result.endOffset
    }

    /// Waits until something holds, at most ten seconds.
    func eventually(_ condition: () throws -> Bool) async throws -> Bool {
        for _ in 0..<1_000 {
            if try condition() { return true }
            try await Task.sleep(nanoseconds: 10_000_000)
        }
        return false
    }
}
