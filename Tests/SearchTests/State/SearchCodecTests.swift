import Columns
import Telemetry
import Testing

@testable import Search

/// The bytes that docs/formats/search-commands.md and search-state.md describe.
@Suite struct SearchCodecTests {
    private static let deletion = SearchDeletion(selector: "{a=\"1\"}", first: 1, last: 2, containing: [0x78])
    private static let retention = SearchRetention(rules: [.init(selector: "{}", nanoseconds: 3)], nanoseconds: 4)

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static let bounds =
        "00000000000186a0" + "000000000000000f" + "0000000000000400" + "0000000000000800" + "0000000000040000"
        + "0000000000000080" + "0000000000010000"
    private static let deletionBytes = "077b613d2231227d" + "0000000000000001" + "0000000000000002" + "0178"
    private static let retentionBytes = "0000000000000004" + "01" + "027b7d" + "0000000000000003"

    @Test(arguments: [
        (SearchCommand.delete(deletion), "0101" + deletionBytes), (.setRetention(retention), "0102" + retentionBytes),
        (.setLimits(SearchLimits()), "0103" + bounds),
    ])
    func commandsHaveTheirBytes(command: SearchCommand, expected: String) throws {
        let bytes = SearchCommandCodec.encode(command)
        #expect(Self.hex(bytes) == expected)
        let read = try bytes.withUnsafeBytes { try SearchCommandCodec.decode($0) }
        #expect(SearchCommandCodec.encode(read) == bytes)
        for count in 0..<bytes.count {
            let error = #expect(throws: SearchError.self) {
                try Array(bytes.prefix(count)).withUnsafeBytes { try SearchCommandCodec.decode($0) }
            }
            #expect(error?.code == .damaged)
        }
        let error = #expect(throws: SearchError.self) {
            try ([2] + bytes.dropFirst()).withUnsafeBytes { try SearchCommandCodec.decode($0) }
        }
        #expect(error?.code == .formatTooNew)
        #expect(throws: SearchError.self) { try (bytes + [0]).withUnsafeBytes { try SearchCommandCodec.decode($0) } }
    }

    @Test func theStateHasItsBytes() throws {
        var state = SearchState()
        state.nextCut = 5
        state.retention = try RetentionRules(Self.retention)
        state.deletions = [try Deletion(Self.deletion, offset: 6)]
        state.streams = ActiveStreams(window: 7, current: [9, 8], previous: [8])
        let bytes = SearchStateCodec.encode(state)
        #expect(
            Self.hex(bytes) == "01" + "0000000000000005" + Self.bounds + Self.retentionBytes + "01"
                + "0000000000000006" + Self.deletionBytes + "0000000000000007" + "02" + "0000000000000008"
                + "0000000000000009" + "01" + "0000000000000008")
        let read = try SearchStateCodec.decode(bytes)
        #expect(SearchStateCodec.encode(read) == bytes)
        #expect(read.streams.count == 2)
        for count in 0..<bytes.count {
            #expect(throws: SearchError.self) { try SearchStateCodec.decode(Array(bytes.prefix(count))) }
        }
        #expect(throws: SearchError.self) { try SearchStateCodec.decode(bytes + [0]) }
    }

    /// The state keeps what it gives.
    @Test func theHashOfAStreamNeverChanges() {
        let hash = Array("{app=\"x\",host=\"y\"}".utf8).withUnsafeBytes { BytesHash.hash($0) }
        #expect(hash == 0xffcc0e3fc54f4d94)
    }

    @Test func selectorsAreRead() throws {
        let stream = StreamLabels([.init("app", "a\"b"), .init("host", "x\ny")])
        for (text, holds) in [
            ("{}", true), (" { app = \"a\\\"b\" , host=~`x.y` , }", true), ("{app!=\"a\"}", true),
            ("{app=~\"a\"}", false),
            ("{host!~\"x.*\"}", false), ("{none=\"\"}", true), ("{none=~\".+\"}", false),
        ] {
            #expect(try StreamSelector(text).matches(stream) == holds, "\(text)")
        }
        for text in [
            "", "{", "{a}", "{a=}", "{a=1}", "{a=\"1}", "{a=\"1\"} x", "{a=~\"(\"}", "{a=\"1\" b=\"2\"}", "{1=\"\"}",
        ] {
            let error = #expect(throws: SearchError.self) { try StreamSelector(text) }
            #expect(error?.code == .invalid, "\(text)")
        }
    }

    @Test func theFirstRuleThatMatchesDecides() throws {
        let rules = try RetentionRules(
            SearchRetention(
                rules: [.init(selector: "{a=\"1\"}", nanoseconds: 5), .init(selector: "{a=~\".\"}", nanoseconds: 0)],
                nanoseconds: 7))
        func earliest(_ value: String) -> Int64 { rules.earliest(of: StreamLabels([.init("a", value)]), now: 100) }
        #expect(earliest("1") == 95)
        #expect(earliest("2") == .min)
        #expect(earliest("22") == 93)
        #expect(rules.longest == 0 && rules.shortest == 5 && rules.isLimited)
        #expect(RetentionRules().longest == 0 && !RetentionRules().isLimited)
    }
}
