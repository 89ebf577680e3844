import Bytes
import KafkaWire
import Machine
import SimulatedMachine
import Testing

@testable import View

@Suite struct ManifestChainTests {
    private static let topicID = Uuid(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)
    private let place = ViewDirectory(data: "/data", topicID: Self.topicID, partition: 3)

    private func manifest(_ version: Int64) -> Manifest {
        Manifest(
            version: version, nextOffset: 100 * version,
            blocks: [BlockEntry(id: UInt64(version), sizeBytes: 10, checksum: 7, details: [1, 2, 3])],
            state: Array("state".utf8), nextBlockID: UInt64(version) + 1)
    }

    private func path(_ version: Int) -> String {
        "/data/views/\(Self.topicID)/3/manifests/" + String(repeating: "0", count: 19) + "\(version).manifest"
    }

    private func flip(_ path: String, at position: Int64, _ machine: Machine) throws {
        let file = try machine.files.open(path, .readWrite)
        defer { file.close() }
        var byte: [UInt8] = [0]
        try byte.withUnsafeMutableBytes { _ = try file.read(into: $0, at: position) }
        byte[0] ^= 1
        try byte.withUnsafeBytes { try file.write($0, at: position) }
    }

    @Test func theNewestVersionIsFound() throws {
        let machine = SimulatedMachine(seed: 1).machine
        var chain = try ManifestChain(place, files: machine.files)
        #expect(chain.newest == nil)
        for version in 1...4 as ClosedRange<Int64> { try chain.commit(manifest(version)) }
        let again = try ManifestChain(place, files: machine.files)
        #expect(again.newest == manifest(4))
        #expect(again.findings.isEmpty)
        #expect(
            try machine.files.contents(ofDirectory: place.manifests).map { $0.suffix(10) } == [
                "3.manifest", "4.manifest",
            ])
    }

    @Test func aVersionIsWrittenOnce() throws {
        let machine = SimulatedMachine(seed: 1).machine
        var one = try ManifestChain(place, files: machine.files)
        var other = try ManifestChain(place, files: machine.files)
        try one.commit(manifest(1))
        var different = manifest(1)
        different.nextOffset = 5
        let error = #expect(throws: ViewError.self) { try other.commit(different) }
        #expect(error?.code == .conflict)
        // The same one again is an attempt whose answer was lost.
        try other.commit(manifest(1))
        #expect(try ManifestChain(place, files: machine.files).newest == manifest(1))
    }

    @Test func aDamagedVersionIsToldAndTheOneBeforeTaken() throws {
        let machine = SimulatedMachine(seed: 1).machine
        var chain = try ManifestChain(place, files: machine.files)
        for version in 1...3 as ClosedRange<Int64> { try chain.commit(manifest(version)) }
        try flip(path(3), at: 40, machine)
        let found = try ManifestChain(place, files: machine.files)
        #expect(found.newest == manifest(2))
        #expect(found.findings.count == 1)
        try flip(path(2), at: 70, machine)
        let error = #expect(throws: ViewError.self) { try ManifestChain(place, files: machine.files) }
        #expect(error?.code == .damaged)
    }

    @Test func aPredecessorOfAnotherHistoryIsSeen() throws {
        let machine = SimulatedMachine(seed: 1).machine
        var chain = try ManifestChain(place, files: machine.files)
        for version in 1...3 as ClosedRange<Int64> { try chain.commit(manifest(version)) }
        var other = manifest(2)
        other.nextOffset = 1
        let stored = StoredManifest(topicID: Self.topicID, partition: 3, previousChecksum: 0, manifest: other)
        let file = try machine.files.open(path(2), .replace)
        try stored.encoded().withUnsafeBytes { try file.write($0, at: 0) }
        file.close()
        #expect(try ManifestChain(place, files: machine.files).findings.count == 1)
    }

    @Test func aNewerFormatIsRefused() throws {
        let machine = SimulatedMachine(seed: 1).machine
        var chain = try ManifestChain(place, files: machine.files)
        try chain.commit(manifest(1))
        var bytes = StoredManifest(
            topicID: Self.topicID, partition: 3, previousChecksum: 0, manifest: manifest(1)
        ).encoded()
        bytes[5] = 2
        let checksum = CRC32C.checksum(Array(bytes.dropLast(4)))
        for index in 0..<4 { bytes[bytes.count - 4 + index] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * index)) }
        let file = try machine.files.open(path(1), .replace)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        file.close()
        let error = #expect(throws: ViewError.self) { try ManifestChain(place, files: machine.files) }
        #expect(error?.code == .formatTooNew)
    }

    @Test func noDamageIsTakenForAManifest() throws {
        let whole = StoredManifest(topicID: Self.topicID, partition: 3, previousChecksum: 9, manifest: manifest(7))
        let bytes = whole.encoded()
        #expect(try StoredManifest.decode(bytes, "m") == whole)
        for count in 0..<bytes.count {
            #expect(throws: ViewError.self) { try StoredManifest.decode(Array(bytes.prefix(count)), "m") }
        }
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x10
            #expect(throws: ViewError.self) { try StoredManifest.decode(damaged, "m") }
        }
    }

    /// docs/formats/view-manifest.md. With a file `Golden/rewrite` the test writes the golden file anew.
    @Test func theFormatStaysWhatItIs() throws {
        let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Golden"
        let files = Machine.posix().files
        let stored = StoredManifest(
            topicID: Self.topicID, partition: 3, previousChecksum: 0x0BAD_CAFE, manifest: manifest(7))
        let golden = folder + "/format-1.manifest"
        if try files.information(at: folder + "/rewrite") != nil {
            let file = try files.open(golden, .replace)
            try stored.encoded().withUnsafeBytes { try file.write($0, at: 0) }
        }
        let file = try files.open(golden, .read)
        var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
        try bytes.withUnsafeMutableBytes { _ = try file.read(into: $0, at: 0) }
        #expect(bytes == stored.encoded())
        #expect(try StoredManifest.decode(bytes, golden) == stored)
    }
}
