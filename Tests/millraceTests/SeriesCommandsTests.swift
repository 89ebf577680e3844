import ArgumentParser
import Bytes
import FoundationEssentials
import KafkaWire
import Machine
import Series
import Testing
import View

@testable import millrace

@Suite struct SeriesCommandsTests {
    private static let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../SeriesTests/Golden/block-1"
    ).standardized.path

    private static func blocks(_ paths: String...) throws -> [String] {
        try BlockFiles.parse(paths).find(Machine.posix().files)
    }

    @Test func blocksAreLookedForInDirectories() throws {
        #expect(
            try Self.blocks(Self.golden + "/..")
                == ["compressed", "plain"].map { Self.golden + "/../block-1/\($0).block" })
        #expect(throws: CommandFailure.self) { try Self.blocks(Self.golden + "/nothing") }
    }

    @Test func aBlockIsCheckedAndDescribed() throws {
        let path = try Self.blocks(Self.golden + "/plain.block")[0]
        let report = try SeriesCheckCommand.check(path, Machine.posix().files)
        let checked = [SeriesCheckCommand.Checked(path: path, report: report)]
        #expect(SeriesCheckCommand.text(checked) == "sound: 1 blocks, 2527 points, 8.1 KiB\n")
        #expect(
            SeriesCheckCommand.json(checked) == #"{"sound":true,"blocks":1,"bytes":8297,"findings":[]}"# + "\n")
        let text = SeriesInspectCommand.text(path, report)
        #expect(text.contains("\nm  series 14  points 2527  values 11371  pages 4  0.71 bytes per value\n"))
        #expect(text.contains("\nfield i           integer    2336  29.05  frame 4\n"))
    }

    @Test func damageIsTold() throws {
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.golden + "/plain.block")))
        bytes[700] ^= 0xFF
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).block").path
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let report = try SeriesCheckCommand.check(path, Machine.posix().files)
        #expect(report.findings.count == 1)
        let text = SeriesCheckCommand.text([SeriesCheckCommand.Checked(path: path, report: report)])
        #expect(text.hasPrefix("damage: \(path), series and times of page 1 of m, byte 258: "))
        #expect(text.contains("\nDAMAGED, 1 of the blocks: "))
    }

    /// A sound block of another time under a block's name, and blocks that are gone, show only beside the manifest.
    @Test func filesAreComparedWithTheManifest() throws {
        let data = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
        defer { try? FileManager.default.removeItem(at: data) }
        let files = Machine.posix().files
        let place = ViewDirectory(data: data.path, topicID: Uuid(high: 1, low: 2), partition: 0)
        try files.createDirectory(place.blocks)
        let golden = try ["plain", "compressed"].map { name in
            try Data(contentsOf: URL(filePath: Self.golden + "/\(name).block"))
        }
        let entries = zip(golden, 1...).map { content, id in
            BlockEntry(
                id: UInt64(id), sizeBytes: Int64(content.count), checksum: CRC32C.checksum(Array(content)), details: [])
        }
        var chain = try ManifestChain(place, files: files)
        try chain.commit(Manifest(version: 1, nextOffset: 9, blocks: entries, state: [], nextBlockID: 3))
        let paths = (1...2).map { place.blocks + "/0000000000000000000\($0).block" }
        func findings() throws -> [String] {
            let found = try BlockFiles.parse([data.path]).survey(files)
            return try SeriesCheckCommand.check(found, files).flatMap(\.findings)
        }
        #expect(try findings() == paths.map { "\($0) is missing, its manifest names it" })
        for (path, content) in zip(paths, golden) { try content.write(to: URL(filePath: path)) }
        #expect(try findings().isEmpty)
        try golden[0].write(to: URL(filePath: paths[1]))
        #expect(
            try findings() == ["\(paths[1]) has \(golden[0].count) bytes, its manifest says \(golden[1].count)"])
    }
}
