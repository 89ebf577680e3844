import Machine
import Search
import Synchronization
import Telemetry
import Testing
import View

/// A store that gives some bytes of one block wrongly, or the block not at all.
private struct DamagingStore: BlockStore {
    let inner: MemoryBlockStore
    let id: UInt64
    /// The place of the wrong byte; nil if the file is missing.
    let position: Int?

    func create(
        _ produce: (_ sink: (UnsafeRawBufferPointer) throws(ViewError) -> Void) throws(ViewError) -> [UInt8]
    ) throws(ViewError) -> BlockEntry { try inner.create(produce) }

    func map(_ entry: BlockEntry) throws(ViewError) -> any MemoryMap {
        var content = inner.bytes(of: entry)
        if entry.id == id {
            guard let position else { throw ViewError(.damaged, "no such file") }
            content[position] ^= 0x40
        }
        return BytesMap(content)
    }
}

@Suite struct LineDamageTests {
    private func site() throws -> LineSite {
        var site = try LineSite()
        try site.push("{a=\"1\"}", [(1, "first line of some length"), (2, "second line of some length")])
        try site.cut()
        try site.push("{a=\"2\"}", [(3, "third")])
        try site.cut()
        return site
    }

    /// Opening verifies footer, streams and index: what is wrong with a chunk shows when it is read.
    @Test func damageThatAScanFindsIsToldOnceAndEndsNoOtherQuery() throws {
        let site = try site()
        let entry = site.manifest.blocks[0]
        let told = Mutex<[String]>([])
        let partition = LinePartition(topic: "t") { reason in told.withLock { $0.append(reason) } }
        // Behind the header stands the first chunk.
        try partition.install(site.manifest, from: DamagingStore(inner: site.store, id: entry.id, position: 8))
        #expect(partition.damagedBlocks.isEmpty)
        for _ in 0..<2 {
            let error = #expect(throws: SearchError.self) { try partition.texts() }
            #expect(error?.code == .damaged)
            #expect(error?.message.contains("block \(entry.id)") == true)
            #expect(partition.damagedBlocks[entry.id] == error?.description)
            #expect(told.withLock { $0 } == [error?.description])
        }
        #expect(try partition.texts("{a=\"2\"}") == ["third"])
        #expect(try partition.compact(to: site.store, nowMilliseconds: 1 << 42) == nil)
        var without = site.manifest
        without.blocks.removeFirst()
        try partition.install(without, from: site.store)
        #expect(partition.damagedBlocks.isEmpty)
        #expect(try partition.texts() == ["third"])
    }

    /// Every byte in turn: a wrong answer is never given, and nothing traps.
    @Test func noWrongByteGivesAWrongAnswer() throws {
        let site = try site()
        let entry = site.manifest.blocks[0]
        let right = try site.partition.texts()
        for position in 0..<site.store.bytes(of: entry).count {
            let partition = LinePartition(topic: "t")
            try partition.install(
                site.manifest, from: DamagingStore(inner: site.store, id: entry.id, position: position))
            if let found = try? partition.texts() { #expect(found == right, "byte \(position)") }
        }
    }

    @Test(arguments: [nil, 3])
    func aBlockThatCannotBeOpenedFailsQueriesAndNothingElse(position: Int?) throws {
        let site = try site()
        let entry = site.manifest.blocks[1]
        let partition = LinePartition(topic: "t")
        let size = site.store.bytes(of: entry).count
        let store = DamagingStore(inner: site.store, id: entry.id, position: position.map { size - $0 })
        try partition.install(site.manifest, from: store)
        #expect(partition.damagedBlocks.keys.sorted() == [entry.id])
        let error = #expect(throws: SearchError.self) { try partition.texts() }
        #expect(error?.code == .damaged)
        let request = TotalsRequest(matchers: [], start: 0, bucketNanoseconds: 10, bucketCount: 1)
        #expect(throws: SearchError.self) { try partition.totals(request) }
        #expect(throws: SearchError.self) { try partition.streams(matching: [], in: .all) }
        // It goes on to take lines, and to write them; times that the block does not have are answered.
        let day: Int64 = 86_400_000_000_000
        let record = LineSite.record("{a=\"3\"}", 5 * day, bytes("new"))
        #expect(try LineSite.apply(.init(records: [record], time: 1, offset: 3), to: partition).isEmpty)
        partition.freeze(nextOffset: 4)
        #expect(try partition.write(to: store).added.count == 1)
        let later = LineRequest(matchers: [], range: TimeWindow(start: day, end: 9 * day))
        #expect(try partition.lines(later).map(\.time) == [5 * day])
        #expect(try partition.compact(to: store, nowMilliseconds: 1 << 42) == nil)
    }
}
