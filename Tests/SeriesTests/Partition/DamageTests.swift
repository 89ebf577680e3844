import Machine
import Series
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
