import Bytes
import FoundationEssentials
import KafkaWire

@testable import Series

/// Writes the seeds of the fuzzers into `Corpus/<fuzzer>/`: every message of Kafka's definitions in every version,
/// batches of every codec, and compressed bytes.
///
/// Run it in `Fuzz/`: it reads `messages.txt` and `consumer_protocol.txt` in `../Tests/KafkaWireTests/Golden`, and the
/// files in `Golden` of the tests of `Log`, `Series` and `View`, and `../Tests/QueryTests/Scripts`.
@main
enum MakeCorpus {
    static func main() throws {
        let counts = [
            try writeRequests(), try writeBatches(), try writeCodecs(), try writeStored(), try writeBlocks(),
            try writeManifests(), try writeQueries(), try writeLines(), try writePushes(),
        ]
        print(
            "wrote \(counts[0]) messages, \(counts[1]) batches, \(counts[2]) compressed texts, \(counts[3]) stored files, "
                + "\(counts[4]) blocks, \(counts[5]) manifests, \(counts[6]) queries, \(counts[7]) bodies of lines, "
                + "\(counts[8]) pushes"
        )
    }

    private static func write(_ fuzzer: String, _ name: String, _ bytes: [UInt8]) throws {
        let directory = "Corpus/\(fuzzer)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: "\(directory)/\(name)"))
    }

    private static func writeRequests() throws -> Int {
        let text = try String(contentsOfFile: "../Tests/KafkaWireTests/Golden/messages.txt", encoding: .utf8)
        let lines = text.split(separator: "\n")
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count == 4, let version = Int16(words[1]) else { continue }
            let name = String(words[0])
            guard
                let api = ApiKey.allCases.firstIndex(where: {
                    name == $0.name + "Request" || name == $0.name + "Response"
                })
            else { continue }
            let selectors = [
                UInt8(api << 1 | (name.hasSuffix("Response") ? 1 : 0)),
                UInt8(version - ApiKey.allCases[api].versions.lowerBound),
            ]
            try write("FuzzRequests", "\(name)-\(version)-\(words[2])", selectors + hex(words[3]))
        }
        return lines.count + (try writeConsumerProtocol())
    }

    private static func writeConsumerProtocol() throws -> Int {
        let file = "../Tests/KafkaWireTests/Golden/consumer_protocol.txt"
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        for words in lines.map({ $0.split(separator: " ") }) where words.count == 4 {
            try write("FuzzRequests", words[..<3].joined(separator: "-"), hex(words[3]))
        }
        return lines.count
    }

    private static func hex(_ digits: Substring) -> [UInt8] {
        let nibbles = digits.compactMap { $0.hexDigitValue.map(UInt8.init) }
        return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }

    private static func writeBatches() throws -> Int {
        for codec in Compression.allCases {
            for count in [1, 3, 40] {
                var builder = RecordBatchBuilder()
                for index in 0..<count {
                    builder.append(
                        key: index % 2 == 0 ? nil : [UInt8(index)], value: [UInt8]("value \(index)".utf8),
                        headers: index % 3 == 0 ? [RecordHeader(key: "trace", value: [1, 2, 3])] : [],
                        timestamp: 1_700_000_000_000 + Int64(index))
                }
                var writer = ByteWriter()
                try builder.finish(into: &writer, compression: codec)
                try write("FuzzBatches", "\(codec.name)-\(count)", [1] + writer.array())
                try write("FuzzBatches", "\(codec.name)-\(count)-twice", [0] + writer.array() + writer.array())
            }
        }
        return Compression.allCases.count * 6
    }

    /// What the log reads back: a golden file of each kind, and a committed offset.
    private static func writeStored() throws -> Int {
        let files: [(selector: UInt8, name: String, skipped: Int)] = [
            (1, "format-2/journal.0", 4096), (2, "format-1/00000000000000000012.snapshot", 0),
            (3, "format-1/checkpoint", 0), (3, "backup-1/checkpoint", 0), (4, "backup-1/metadata", 0),
            (5, "backup-1/manifest", 0), (6, "format-1/00000000000000000000.index", 0), (7, "format-1/format", 0),
        ]
        for (number, file) in files.enumerated() {
            let bytes = try Data(contentsOf: URL(filePath: "../Tests/LogTests/Golden/\(file.name)"))
            for flag: UInt8 in [0, 0x80] {
                try write("FuzzStored", "\(number)-\(flag)", [file.selector | flag] + bytes.dropFirst(file.skipped))
            }
        }
        var key = ByteWriter()
        key.write(Int16(1))
        for text in ["group", "topic"] { key.write(text, compact: false) }
        key.write(Int32(0))
        var value = ByteWriter()
        value.write(Int16(3))
        value.write(Int64(42))
        value.write(Int32(1))
        value.write("metadata", compact: false)
        value.write(Int64(1_700_000_000_000))
        try write("FuzzStored", "offset", [0, UInt8(key.count)] + key.array() + value.array())
        return 2 * files.count + 1
    }

    /// Blocks of points without their first and last bytes, which the fuzzer adds, and a few encoded integers.
    private static func writeBlocks() throws -> Int {
        for name in ["plain", "compressed"] {
            let bytes = try Data(contentsOf: URL(filePath: "../Tests/SeriesTests/Golden/block-1/\(name).block"))
            try write("FuzzSeries", name, [7, 0, 0] + bytes.dropFirst(8).dropLast(12))
        }
        let integers: [[UInt8]] = [[0, 14], [2, 0, 2, 0, 0x39, 0x0F], [3, 2, 3, 1, 4, 0, 0, 7, 1], [0x80, 4, 6, 8]]
        for (number, bytes) in integers.enumerated() {
            for decoder: UInt8 in [0, 1, 4] {
                try write("FuzzSeries", "\(decoder)-\(number)", [decoder, 0, 6] + bytes)
            }
        }
        return 2
    }

    /// A manifest without its first and last bytes, which the fuzzer adds; and what a view of series keeps in one.
    private static func writeManifests() throws -> Int {
        let golden = try Data(contentsOf: URL(filePath: "../Tests/ViewTests/Golden/format-1.manifest"))
        try write("FuzzManifests", "manifest", [0] + golden.dropFirst(6).dropLast(4))
        var state = SeriesState()
        let key = TableKey(retentionPolicy: [1], measurement: [2])
        state.fields[key] = [[3]: .float, [4]: .string]
        state.droppedDefault = [5]
        let deletion = DeletePredicate(
            measurements: [[2]], tags: [.init(key: [6], values: [[7]])], range: 1...2, dropsSeries: false)
        state.tombstones = [
            Tombstone(offset: 8, target: .points(deletion)), Tombstone(offset: 9, target: .measurement([2])),
            Tombstone(offset: 10, target: .retentionPolicy([1])),
        ]
        for hash in 0..<3 as Range<UInt64> { state.cardinality.insertSeries(hash << 50, table: key, window: 7) }
        try write("FuzzManifests", "state", [1] + SeriesStateCodec.encode(state))
        for hash in 0..<5_000 as Range<UInt64> {
            state.cardinality.insertValue(hash &* 0x9E37_79B9_7F4A_7C15, tag: [6], table: key, window: nil)
        }
        try write("FuzzManifests", "sketches", [1] + SeriesStateCodec.encode(state))
        let full = CardinalitySketch(
            registers: [UInt8](repeating: UInt8(CardinalitySketch.maximumRank), count: CardinalitySketch.registerCount))
        if let full {
            state.cardinality = Cardinality(tables: [key: .init(series: WindowedSketch(total: full, windows: [:]))])
            try write("FuzzManifests", "full", [1] + SeriesStateCodec.encode(state))
        }
        let details = BlockDetails(
            retentionPolicy: [1], shardStart: 0, shardEnd: 9, level: 1, firstCut: 2, lastCut: 3, appliedThrough: 4)
        try write("FuzzManifests", "details", [2] + details.encoded())
        let commands: [SeriesCommand] = [
            .setRetentionPolicy(RetentionPolicy.autogen), .dropRetentionPolicy(name: [1]), .delete(deletion),
            .dropMeasurement(name: [2]), .setLimits(SeriesLimits()),
        ]
        for (number, command) in commands.enumerated() {
            try write("FuzzManifests", "command-\(number)", [3] + CommandCodec.encode(command))
        }
        return 5 + commands.count
    }

    /// The statements of the recorded scripts, and patterns, parameters and times.
    private static func writeQueries() throws -> Int {
        let folder = "../Tests/QueryTests/Scripts"
        var count = 0
        for file in try FileManager.default.contentsOfDirectory(atPath: folder)
        where file.hasSuffix(".txt") && !file.hasPrefix("write_") {
            let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            for line in text.split(separator: "\n") where line.hasPrefix("> ") {
                try write("FuzzQuery", "statement-\(count)", [3] + line.utf8.dropFirst(2))
                count += 1
            }
        }
        let others: [(UInt8, String)] = [
            (0, "(?i)a+[^b-d]*\\d{2,3}$\nAAx12"), (1, "{\"a\": 1.5, \"b\": {\"regex\": \"x\"}}"),
            (2, "2026-01-02T03:04:05.678+02:00"),
        ]
        for (reader, text) in others { try write("FuzzQuery", "other-\(reader)", [reader] + text.utf8) }
        return count + others.count
    }

    /// What InfluxDB was asked once, as the table has it: some escapes stay, which do no harm here.
    private static func writeLines() throws -> Int {
        let path = "../Tests/TelemetryTests/Verdicts/influxdb-1.6.7.tsv"
        var count = 0
        for row in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            let body = row.prefix { $0 != "\t" }.replacing("\\n", with: "\n")
            try write("FuzzLines", "body-\(count)", Array(body.utf8))
            count += 1
        }
        return count
    }

    /// A push in each form.
    private static func writePushes() throws -> Int {
        let json = #"{"streams":[{"stream":{"app":"x"},"values":[["1","a\"\u00e9\ud83d\ude00",{"t":"v"}],[2,"b"]]}]}"#
        let lines = #"{"time":"2023-11-14T22:13:20.5Z","msg":"a","app":"x","o":{"p":[1]}}"# + "\n{\"ts\":1}\n"
        // One stream {a="b"} with one line "x" at 1 s and 2 ns.
        let protobuf: [UInt8] =
            [10, 20, 10, 7] + "{a=\"b\"}".utf8 + [18, 9, 10, 4, 8, 1, 16, 2, 18, 1] + "x".utf8
        let all: [(UInt8, [UInt8])] = [(0, Array(json.utf8)), (1, protobuf), (2, Array(lines.utf8))]
        for (reader, bytes) in all { try write("FuzzPushes", "push-\(reader)", [reader] + bytes) }
        return all.count
    }

    private static func writeCodecs() throws -> Int {
        let text = [UInt8](String(repeating: "a line of a log, and then another one; ", count: 30).utf8)
        for codec in Compression.allCases {
            for count in [0, 10, text.count] {
                var writer = ByteWriter()
                try text[..<count].withUnsafeBytes { try codec.compress($0, into: &writer) }
                try write("FuzzCodecs", "\(codec.name)-\(count)", [codec.rawValue] + writer.array())
            }
        }
        return Compression.allCases.count * 3
    }
}
