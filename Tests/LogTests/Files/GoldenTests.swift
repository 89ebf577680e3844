import KafkaWire
import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Testing

@testable import Log

/// The formats, byte for byte (docs/formats). Data of format 1 must stay readable for ever.
///
/// With a file `Tests/LogTests/Golden/rewrite` the test rewrites the files: then delete it and review the difference.
@Suite(.serialized) struct GoldenTests {
    private static let topic = Uuid(high: 0x0011_2233_4455_6677, low: 0x8899_AABB_CCDD_EEFF)
    private static let files = Machine.posix().files

    private static func path(_ name: String, format: Int = 1) -> String {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        parts += ["Golden", "format-\(format)", name[...]]
        return parts.joined(separator: "/")
    }

    private static func expect(_ bytes: [UInt8], _ name: String) throws {
        let path = path(name)
        if try WholeFile.read(Self.path("") + "../rewrite", files) != nil {
            let file = try files.open(path, .replace)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        }
        #expect(try WholeFile.read(path, files) == bytes, "\(name) differs")
    }

    /// A log as a server leaves it when it stops: twelve batches, two segments, two producers.
    private static func site() throws -> Site {
        let site = Site(seed: 7)
        let record = TopicRecord(name: "t", id: topic, partitionCount: 1, configs: Self.configs)
        try site.metadata.commit([.put(key: record.key, value: record.encoded(), expected: nil)])
        return site
    }

    private static let configs = ["index.interval.bytes": "150", "segment.bytes": "700"]

    @Test func whatAServerWrites() throws {
        let site = try Self.site()
        var settings = LogSettings()
        settings.snapshotIntervalBytes = 1
        let (log, partition) = try site.openWithTopic(settings)
        for number in 0..<12 as Range<Int32> {
            try partition.append(
                batch(
                    ["value \(number)"], timestamp: epochStart + Int64(number % 5), producer: Int64(1_000 + number % 2),
                    epoch: 3, sequence: number / 2))
        }
        log.close()
        let names = try site.names()
        #expect(names.filter { $0.hasSuffix(".log") }.count == 2)
        for name in names { try Self.expect(site.contents("/data/log/t/0/" + name), name) }
        try Self.expect(site.contents("/data/checkpoint"), "checkpoint")
        try Self.expect(site.contents("/data/log/t/topic"), "topic")
        try Self.expect(site.contents("/data/format"), "format")
        let record = TopicRecord(name: "t", id: Self.topic, partitionCount: 1, configs: Self.configs)
        try Self.expect(record.encoded(), "topic-record")
        #expect(
            try Self.files.contents(ofDirectory: Self.path("")).sorted()
                == (names + ["checkpoint", "topic", "format", "topic-record"]).sorted())
    }

    @Test func whatAServerReads() throws {
        let site = Site(seed: 9)
        let target = site.simulation.machine.files
        try target.createDirectory("/data/log/t/0")
        for name in try Self.files.contents(ofDirectory: Self.path("")) {
            guard let bytes = try WholeFile.read(Self.path(name), Self.files) else { continue }
            switch name {
            case "topic-record": try site.metadata.commit([.put(key: "topics/t", value: bytes, expected: nil)])
            case "checkpoint", "format": try write(bytes, "/data/" + name, target)
            case "topic": try write(bytes, "/data/log/t/topic", target)
            default: try write(bytes, "/data/log/t/0/" + name, target)
            }
        }
        let (_, partition) = try site.openWithTopic()
        #expect(partition.topicID == Self.topic && partition.leaderEpoch == 0 && partition.fenceReason == nil)
        #expect(try partition.allValues() == (0..<12).map { "value \($0)" })
        #expect(try partition.producers().map(\.lastSequence) == [5, 5])
        #expect(try partition.offset(forTimestamp: epochStart + 4)?.offset == 4)
        #expect(site.messages().isEmpty)
        #expect(try LogCheckAccess.run(site).findings.isEmpty)
    }

    /// Format 2 is format 1 with a sync journal. What it holds for a topic that is gone is dropped.
    @Test func aServerReadsAJournal() throws {
        let site = Site(seed: 8)
        let target = site.simulation.machine.files
        try target.createDirectory("/data")
        for name in ["format", "journal.0"] {
            let bytes = try #require(try WholeFile.read(Self.path(name, format: 2), Self.files))
            try write(bytes, "/data/" + name, target)
        }
        #expect(try JournalContent(in: "/data", target).segments.map(\.base) == [0, 9])
        let (log, partition) = try site.openWithTopic()
        #expect(try JournalContent(in: "/data", target).isEmpty && partition.logEndOffset == 0)
        log.close()
        #expect(try site.contents("/data/format") == Array("millrace data format 1\n".utf8))
    }

    private func write(_ bytes: [UInt8], _ path: String, _ files: any FileSystem) throws {
        let file = try files.open(path, .create)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        try file.synchronize()
    }
}
