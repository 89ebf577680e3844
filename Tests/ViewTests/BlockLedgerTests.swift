import KafkaWire
import Machine
import SimulatedMachine
import Testing

@testable import View

@Suite struct BlockLedgerTests {
    private let files: any FileSystem = SimulatedMachine(seed: 1).machine.files
    private let place = ViewDirectory(data: "/d", topicID: Uuid(high: 1, low: 2), partition: 0)

    /// Two blocks, and a manifest that names them.
    private func begin() throws -> ManifestChain {
        var chain = try ManifestChain(place, files: files)
        let store = try DirectoryBlockStore(place, files: files, nextBlockID: 1)
        let entries = try ["first", "second"].map { text in
            try store.create { sink throws(ViewError) in
                let written = Array(text.utf8).withUnsafeBytes { bytes in
                    Result { () throws(ViewError) in try sink(bytes) }
                }
                try written.get()
                return []
            }
        }
        try chain.commit(Manifest(version: 1, nextOffset: 5, blocks: entries, state: [], nextBlockID: 3))
        return chain
    }

    private func name(_ id: UInt64) -> String { NumberedFile.name(id, NumberedFile.block) }

    private func overwrite(_ path: String, at position: Int64, with text: String) throws {
        let file = try files.open(path, .readWrite)
        try Array(text.utf8).withUnsafeBytes { try file.write($0, at: position) }
        file.close()
    }

    @Test func soundFilesHaveNoDifference() throws {
        #expect(try BlockLedger(blocksIn: "/d", files: files) == nil)
        _ = try begin()
        let ledger = try #require(try BlockLedger(blocksIn: place.blocks, files: files))
        #expect(ledger.findings.isEmpty)
        #expect(try ledger.missing(files: files).isEmpty)
        for id in 1...3 as ClosedRange<UInt64> { #expect(try ledger.difference(of: name(id), files: files) == nil) }
    }

    @Test func otherBytesOtherSizesAndGapsAreTold() throws {
        _ = try begin()
        let ledger = try #require(try BlockLedger(blocksIn: place.blocks, files: files))
        try overwrite(place.blocks + "/" + name(1), at: 2, with: "?")
        #expect(try ledger.difference(of: name(1), files: files)?.contains("checksum") == true)
        try overwrite(place.blocks + "/" + name(1), at: 5, with: "longer")
        #expect(try ledger.difference(of: name(1), files: files)?.contains("its manifest says 5") == true)
        try files.remove(place.blocks + "/" + name(2))
        #expect(try ledger.missing(files: files) == [name(2)])
    }

    /// A server that runs has replaced it meanwhile.
    @Test func whatTheNextManifestNoLongerNamesIsNotMissing() throws {
        var chain = try begin()
        let ledger = try #require(try BlockLedger(blocksIn: place.blocks, files: files))
        var next = try #require(chain.newest)
        next.version = 2
        next.blocks.removeLast()
        try chain.commit(next)
        try files.remove(place.blocks + "/" + name(2))
        #expect(try ledger.missing(files: files).isEmpty)
    }

    @Test func aDamagedManifestIsTold() throws {
        var chain = try begin()
        var next = try #require(chain.newest)
        next.version = 2
        try chain.commit(next)
        try overwrite(place.manifests + "/" + NumberedFile.name(2, NumberedFile.manifest), at: 40, with: "?")
        let ledger = try #require(try BlockLedger(blocksIn: place.blocks, files: files))
        #expect(ledger.findings.count == 1)
        try overwrite(place.blocks + "/" + name(1), at: 2, with: "?")
        #expect(try ledger.difference(of: name(1), files: files) != nil)
        try overwrite(place.manifests + "/" + NumberedFile.name(1, NumberedFile.manifest), at: 40, with: "?")
        #expect(try BlockLedger(blocksIn: place.blocks, files: files)?.findings.count == 2)
    }
}
