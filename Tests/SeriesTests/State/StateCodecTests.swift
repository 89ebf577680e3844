import Bytes
import SimulatedMachine
import Telemetry
import Testing

@testable import Series

@Suite struct StateCodecTests {
    static let commands: [SeriesCommand] = [
        .setRetentionPolicy(
            RetentionPolicy(name: bytes("a b"), durationNanoseconds: 5, shardNanoseconds: 2, isDefault: true)),
        .dropRetentionPolicy(name: bytes("x")),
        .delete(
            DeletePredicate(
                measurements: [bytes("m"), bytes("")],
                tags: [.init(key: bytes("t"), values: [[], bytes("v")])], range: -3...9, dropsSeries: false)),
        .dropMeasurement(name: bytes("cpu")),
        .setLimits(SeriesLimits()),
    ]

    /// The bytes are a format: docs/formats/series-commands.md.
    static let golden = [
        "010103612062000000000000000500000000000000" + "0201",
        "01020178",
        "010302016d000101740200" + "0176" + "fffffffffffffffd000000000000000900",
        "010403637075",
        "010500000000000f424000000000000186a000000000000027100000000000001000",
    ]

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    @Test func commandsAreWrittenAsTheFormatSays() throws {
        for (command, text) in zip(Self.commands, Self.golden) {
            let encoded = CommandCodec.encode(command)
            #expect(Self.hexadecimal(encoded) == text)
            #expect(try encoded.withUnsafeBytes { try CommandCodec.decode($0) } == command)
        }
    }

    @Test func brokenCommandsAreRefused() throws {
        var random = SeededGenerator(seed: 3)
        for command in Self.commands {
            let encoded = CommandCodec.encode(command)
            for length in encoded.indices {
                #expect(throws: SeriesError.self) {
                    try Array(encoded[..<length]).withUnsafeBytes { try CommandCodec.decode($0) }
                }
            }
            #expect(throws: SeriesError.self) {
                try (encoded + [0]).withUnsafeBytes { try CommandCodec.decode($0) }
            }
            for _ in 0..<2_000 {
                var broken = encoded
                for _ in 0..<2 {
                    broken[Int(random.next() % UInt64(broken.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                _ = try? broken.withUnsafeBytes { try CommandCodec.decode($0) }
            }
        }
        let newer = #expect(throws: SeriesError.self) { try [2, 1].withUnsafeBytes { try CommandCodec.decode($0) } }
        #expect(newer?.code == .formatTooNew)
    }

    private var state: SeriesState {
        var state = SeriesState()
        state.nextCut = 7
        state.limits.maximumSeries = 12
        let key = TableKey(retentionPolicy: bytes("autogen"), measurement: bytes("m"))
        state.fields[key] = [bytes("v"): .float, bytes("s"): .string]
        state.fields[TableKey(retentionPolicy: bytes("z"), measurement: bytes("n"))] = [:]
        state.tombstones = [
            Tombstone(offset: 3, target: .measurement(bytes("o"))),
            Tombstone(offset: 4, target: .retentionPolicy(bytes("p"))),
            Tombstone(
                offset: 5,
                target: .points(DeletePredicate(measurements: [], tags: [], range: 1...2, dropsSeries: true))),
        ]
        state.cardinality.insertSeries(11, table: key, window: nil)
        state.cardinality.insertValue(12, tag: bytes("t"), table: key, window: 40)
        return state
    }

    @Test func theStateIsReadBack() throws {
        var large = state
        var random = SeededGenerator(seed: 1)
        let key = TableKey(retentionPolicy: bytes("autogen"), measurement: bytes("m"))
        for _ in 0..<3_000 { large.cardinality.insertSeries(random.next(), table: key, window: 5) }
        var withoutDefault = state
        withoutDefault.droppedDefault = bytes("gone")
        #expect(SeriesStateCodec.encode(withoutDefault).first == 2)
        for state in [SeriesState(), state, large, withoutDefault] {
            #expect(try SeriesStateCodec.decode(SeriesStateCodec.encode(state)) == state)
        }
    }

    @Test func theStateIsWrittenAsTheFormatSays() {
        let golden = [
            "010000000000000007000000000000000c00000000000186a00000000000002710000000000000100001076175746f67",
            "656e00000000000000000002260ff92900000103000000000000000302016f0000000000000004030170000000000000",
            "0005010000000000000000000100000000000000020102076175746f67656e016d030173040176010001000000000000",
            "000b000101740001000000000000000c0100000000000000280001000000000000000c017a016e0100000000",
        ].joined()
        #expect(Self.hexadecimal(SeriesStateCodec.encode(state)) == golden)
    }

    @Test func aBrokenStateIsRefused() {
        let encoded = SeriesStateCodec.encode(state)
        var random = SeededGenerator(seed: 2)
        for length in encoded.indices {
            #expect(throws: SeriesError.self) { try SeriesStateCodec.decode(Array(encoded[..<length])) }
        }
        for _ in 0..<5_000 {
            var broken = encoded
            broken[Int(random.next() % UInt64(broken.count))] = UInt8(truncatingIfNeeded: random.next())
            _ = try? SeriesStateCodec.decode(broken)
        }
    }
}
