import KafkaWire
import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Testing

@testable import Log

/// A backup, byte for byte (docs/formats/backup.md). Backups of format 1 must be restored for ever.
///
/// With a file `Tests/LogTests/Golden/rewrite` the test rewrites the files: then delete it and review the difference.
@Suite(.serialized) struct BackupGoldenTests {
    private static let files = Machine.posix().files
    private static let topic = Uuid(high: 0x0011_2233_4455_6677, low: 0x8899_AABB_CCDD_EEFF)

    private static func path(_ name: String) -> String {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        return parts.joined(separator: "/") + "/Golden/" + name
    }

    /// Every file below a directory, by its path.
    private static func tree(
        _ directory: String, _ files: any FileSystem, _ name: String = ""
    ) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for entry in try files.contents(ofDirectory: directory) {
            let path = directory + "/" + entry
            if try files.information(at: path)?.isDirectory == true {
                found.merge(try tree(path, files, name + entry + "/")) { one, _ in one }
            } else {
                found[name + entry] = try WholeFile.read(path, files)
            }
        }
        return found
    }

    private static func write(_ tree: [String: [UInt8]], _ directory: String, _ files: any FileSystem) throws {
        for (name, bytes) in tree {
            let path = directory + "/" + name
            try files.createDirectory(path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 })
            let file = try files.open(path, .replace)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        }
    }

    @Test func whatABackupWrites() throws {
        let site = Site(seed: 7)
        let configs = ["index.interval.bytes": "150", "segment.bytes": "700"]
        let record = TopicRecord(name: "t", id: Self.topic, partitionCount: 2, configs: configs)
        try site.metadata.commit([.put(key: record.key, value: record.encoded(), expected: nil)])
        let (log, partition) = try site.openWithTopic()
        for number in 0..<12 as Range<Int32> {
            try partition.append(
                batch(
                    ["value \(number)"], timestamp: epochStart + Int64(number), producer: 1_000, epoch: 3,
                    sequence: number))
        }
        log.flushDirty()
        log.checkpoint()
        try BackupSite(site).back()
        let written = try Self.tree("/backup", site.simulation.machine.files)
        if try Self.files.information(at: Self.path("rewrite")) != nil {
            try Self.write(written, Self.path("backup-1"), Self.files)
        }
        let golden = try Self.tree(Self.path("backup-1"), Self.files)
        #expect(golden.keys.sorted() == written.keys.sorted())
        for (name, bytes) in golden { #expect(written[name] == bytes, "\(name) differs") }
    }

    @Test func whatARestoreReads() throws {
        let site = Site(seed: 9)
        let golden = try Self.tree(Self.path("backup-1"), Self.files)
        try Self.write(golden, "/backup", site.simulation.machine.files)
        let backup = BackupSite(site)
        let log = try backup.open(backup.restore())
        let topic = try #require(log.topic(named: "t"))
        #expect(topic.id == Self.topic && topic.partitions.count == 2 && topic.configs["segment.bytes"] == "700")
        #expect(try topic.partitions[0].allValues() == (0..<12).map { "value \($0)" })
        #expect(try topic.partitions[0].producers().map(\.lastSequence) == [11])
        #expect(topic.partitions.map(\.leaderEpoch) == [1001, 1001])
        log.close()
        #expect(
            try LogCheck.run(directory: "/restored", machine: site.simulation.machine).findings.allSatisfy {
                $0.severity == .notice
            })
    }
}
