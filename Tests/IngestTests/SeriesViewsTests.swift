import Ingest
import Instruments
import Log
import Machine
import MillraceTesting
import Series
import Storage
import Synchronization
import Testing
import View

/// What the views of series tell about themselves.
@Suite struct SeriesViewsTests {
    /// Blocks that have gone.
    private struct EmptyStore: BlockStore {
        func create(
            _ produce: (_ sink: (UnsafeRawBufferPointer) throws(ViewError) -> Void) throws(ViewError) -> [UInt8]
        ) throws(ViewError) -> BlockEntry { throw ViewError(.storage, "no room") }

        func map(_ entry: BlockEntry) throws(ViewError) -> any MemoryMap {
            throw ViewError(.damaged, "no block \(entry.id)")
        }
    }

    @Test func damagedBlocksAreCountedAndReported() throws {
        let directory = try TemporaryDirectory("series-views")
        let log = try CommitLog.open(
            directory: directory.path, settings: LogSettings(), machine: .posix(), metadata: InMemoryMetadataStore())
        defer { log.close() }
        let topic = try log.createTopic("db", partitions: 1, configs: ["millrace.view": "series"])
        let reports = Mutex<[[String]]>([])
        let kind = SeriesViews(catalog: SeriesCatalog()) { view, reason in
            reports.withLock { $0.append([view, reason]) }
        }
        let registry = InstrumentRegistry()
        kind.register(in: registry)
        let engine = try kind.makeEngine(for: topic, partition: 0)
        kind.publish(engine, for: topic, partition: 0)
        let sample = #"millrace_series_damaged_blocks{topic="db"} "#
        #expect(registry.render().contains(sample + "0\n"))
        let details = BlockDetails(
            retentionPolicy: Array("autogen".utf8), shardStart: 0, shardEnd: 1, level: 0, firstCut: 1, lastCut: 1,
            appliedThrough: 1)
        let entries = (1...2).map { BlockEntry(id: $0, sizeBytes: 9, checksum: 0, details: details.encoded()) }
        for _ in 0..<2 {
            try engine.install(
                Manifest(version: 1, nextOffset: 1, blocks: entries, state: [], nextBlockID: 3), from: EmptyStore())
            #expect(registry.render().contains(sample + "2\n"))
            #expect(reports.withLock { $0.map { $0[0] } } == ["db-0", "db-0"])
        }
        #expect(reports.withLock { $0[0][1].contains("block 1 cannot be read") })
    }
}
