import Machine
import Series
import Synchronization
import Telemetry
import Testing
import View

/// A store that gives some bytes of one block wrongly.
private struct DamagingStore: BlockStore {
    let inner: MemoryBlockStore
    let id: UInt64
    /// From the end.
    let position: Int

    func create(
        _ produce: (_ sink: (UnsafeRawBufferPointer) throws(ViewError) -> Void) throws(ViewError) -> [UInt8]
    ) throws(ViewError) -> BlockEntry { try inner.create(produce) }

    func map(_ entry: BlockEntry) throws(ViewError) -> any MemoryMap {
        var content = inner.bytes(of: entry)
        if entry.id == id { content[content.count - position] ^= 0x40 }
        return BytesMap(content)
    }
}

@Suite struct DamageTests {
    /// Opening verifies the footer alone: what is wrong with a page shows when it is read.
    @Test func damageThatAScanFindsIsToldOnce() throws {
        var site = try PartitionSite()
        try site.write("m,t=a v=1 1\nm,t=b v=2 2")
        try site.cut()
        let entry = site.manifest.blocks[0]
        let told = Mutex<[String]>([])
        let partition = SeriesPartition { reason in told.withLock { $0.append(reason) } }
        let size = site.store.bytes(of: entry).count
        // Behind the header stands the first page.
        try partition.install(
            site.manifest, from: DamagingStore(inner: site.store, id: entry.id, position: size - 30))
        #expect(partition.damagedBlocks.isEmpty)
        let request = ScanRequest(measurement: bytes("m"), range: .min ... .max, fields: [bytes("v")])
        for _ in 0..<2 {
            let error = #expect(throws: SeriesError.self) {
                for scan in try partition.scan(request).parts { while try scan.next({ _ in false }) != nil {} }
            }
            #expect(error?.code == .damaged)
            #expect(partition.damagedBlocks[entry.id] == error?.description)
            #expect(told.withLock { $0 } == [error?.description])
        }
        #expect(try partition.compact(to: site.store, nowMilliseconds: 1 << 40) == nil)
        var without = site.manifest
        without.blocks = []
        try partition.install(without, from: site.store)
        #expect(partition.damagedBlocks.isEmpty)
    }

    /// The last bytes are the footer: without it nothing of the block can be read.
    @Test(arguments: [5, 30])
    func aQueryThatNeedsADamagedBlockFailsAndNamesIt(position: Int) throws {
        var site = try PartitionSite()
        try site.write("m,t=a v=1 1\nn v=1 1")
        try site.cut()
        try site.write("m,t=a v=2 2")
        try site.cut()
        let partition = SeriesPartition()
        let store = DamagingStore(inner: site.store, id: site.manifest.blocks[0].id, position: position)
        try partition.install(site.manifest, from: store)
        #expect(partition.damagedBlocks.keys.sorted() == [site.manifest.blocks[0].id])
        let request = ScanRequest(measurement: bytes("m"), range: .min ... .max, fields: [bytes("v")])
        let error = #expect(throws: SeriesError.self) { try partition.scan(request) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("block \(site.manifest.blocks[0].id)") == true)
        // It goes on to take points, and to write them.
        #expect(
            try PartitionSite.apply(.init(values: [bytes("m v=3 3")], time: 1, offset: site.nextOffset), to: partition)
                .isEmpty)
        partition.freeze(nextOffset: site.nextOffset + 1)
        let change = try partition.write(to: store)
        #expect(change.added.count == 1)
        #expect(try partition.compact(to: store, nowMilliseconds: 1 << 40) == nil)
    }
}
