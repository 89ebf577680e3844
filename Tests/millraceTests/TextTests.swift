import KafkaClient
import Testing

@testable import millrace

@Suite struct TimeTextTests {
    @Test(
        arguments: [
            (604_800_000, "7d"), (129_600_000, "36h"), (5_400_000, "90m"), (61_000, "61s"), (1_500, "1500ms"),
            (0, "0ms"),
        ] as [(Int64, String)])
    func durationsAreWrittenAsTheyAreRead(milliseconds: Int64, expected: String) {
        #expect(TimeText.text(milliseconds: milliseconds) == expected)
        #expect(TimeText.duration(expected) == milliseconds)
    }

    private let now: Int64 = 1_800_000_000_000

    @Test(
        arguments: [
            ("1970-01-01", 0), ("1970-01-01T00:00:01Z", 1_000), ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("2026-11-21T01:38:05.123Z", 1_795_225_085_123), ("2026-11-21 02:38:05,5", nil),
            ("2026-11-21T03:38:05+02:00", 1_795_225_085_000), ("2026-11-20t20:08:05-05:30", 1_795_225_085_000),
            ("2026-11-21T01:38", 1_795_225_080_000), ("2026-11-21T01:38:05.1239Z", 1_795_225_085_123),
            ("2026-02-29", nil), ("2026-13-01", nil), ("2026-11-21T24:00:00Z", nil), ("2026-11-21T01:38:05Zx", nil),
            ("21.11.2026", nil), ("", nil), ("1h", 1_799_996_400_000), ("1h ago", 1_799_996_400_000),
            ("90s", 1_799_999_910_000), ("2d", 1_799_827_200_000), ("1w", 1_799_395_200_000), ("1y", nil), ("h", nil),
            ("99999999999999999999d", nil),
        ] as [(String, Int64?)])
    func readsTimes(text: String, expected: Int64?) {
        #expect(TimeText.milliseconds(text, now: now) == expected)
    }

    @Test func everyDayOfFourCenturiesAgreesWithTheFormatter() {
        for day in stride(from: Int64(0), to: 146_097, by: 7) {
            let milliseconds = day * 86_400_000 + 3_723_004
            #expect(TimeText.milliseconds(timestamp(milliseconds: milliseconds), now: 0) == milliseconds)
        }
    }

    @Test(arguments: [("500ms", 500), ("1h30m", 5_400_000), ("0s", 0), ("", nil), ("5", nil)] as [(String, Int64?)])
    func readsDurations(text: String, expected: Int64?) {
        #expect(TimeText.duration(text) == expected)
    }
}

@Suite struct OffsetArgumentTests {
    @Test(
        arguments: [
            ("beginning", .earliest), ("earliest", .earliest), ("end", .latest), ("latest", .latest),
            ("42", .offset(42)), ("0", .offset(0)), ("-10", .beforeEnd(10)), ("1h", .time(milliseconds: 6_400_000)),
            ("1970-01-02", .time(milliseconds: 86_400_000)), ("-x", nil), ("soon", nil), ("--1", nil),
        ] as [(String, OffsetSpec?)])
    func readsWhere(text: String, expected: OffsetSpec?) {
        #expect(OffsetArgument(text, now: 10_000_000)?.spec == expected)
    }
}

@Suite struct RecordFormatTests {
    private let record = ConsumedRecord(
        topic: "t", partition: 3, offset: 42, timestampMilliseconds: 1_700_000_000_000, key: Array("k".utf8),
        value: Array("value".utf8), headers: [.init("a", [49]), .init("b", nil)])

    private func text(_ format: String, _ record: ConsumedRecord) throws -> String {
        var bytes: [UInt8] = []
        try RecordFormat(format).write(record, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        arguments: [
            ("%s\\n", "value\n"), ("%t-%p@%o", "t-3@42"), ("%k=%s (%K,%S)", "k=value (1,5)"), ("%T", "1700000000000"),
            ("%D", "2023-11-14T22:13:20.000Z"), ("%h", "a=1,b=NULL"), ("100%%", "100%"), ("\\x41\\t\\\\", "A\t\\"),
            ("%R", "\0\0\0\u{5}"), ("", ""),
        ])
    func printsRecords(format: String, expected: String) throws {
        #expect(try text(format, record) == expected)
    }

    @Test func whatIsMissingHasLengthMinusOne() throws {
        let empty = ConsumedRecord(
            topic: "t", partition: 0, offset: 0, timestampMilliseconds: -1, key: nil, value: nil)
        #expect(try text("[%k|%K|%s|%S|%h]", empty) == "[|-1||-1|]")
    }

    @Test(arguments: ["%", "%y", "\\", "\\q", "\\x4", "\\xzz"])
    func mistakesAreErrors(format: String) {
        #expect(throws: RecordFormat.Mistake.self) { try RecordFormat(format) }
    }
}

@Suite struct TableTests {
    @Test func alignsColumnsAndKeepsControlCharactersAway() {
        var table = Table([("name", .left), ("count", .right)])
        table.add(["a", "1"])
        table.add(["longer\u{1b}[31m", "1000"])
        #expect(table.text == "NAME         COUNT\na                1\nlonger?[31m   1000\n")
    }
}

@Suite struct JSONTextTests {
    @Test func writesValidJSON() {
        var json = JSONText()
        json.object { json in
            json.member("text", "a\"b\\c\n\u{1}é")
            json.member("number", -5)
            json.member("none", nil as String?)
            json.key("list")
            json.array { json in
                json.value(true)
                json.value(1.5)
                json.value(Double.infinity)
            }
            json.member("bytes", bytes: [0xff, 0xfe])
            json.key("empty")
            json.object { _ in }
        }
        json.newline()
        #expect(
            json.text == #"{"text":"a\"b\\c\n\u0001é","number":-5,"none":null,"list":[true,1.5,null],"#
                + #""bytes_base64":"//4=","empty":{}}"# + "\n")
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
    func base64AgreesWithItsRFC(text: String, encoded: String) {
        var bytes: [UInt8] = []
        Base64.encode(Array(text.utf8), into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }

    @Test(arguments: ["A", "Zg=g", "Z*=="])
    func whatIsNotBase64IsRefused(text: String) { #expect(Base64.decode(text) == nil) }
}

@Suite struct LineTests {
    private func split(_ chunks: [String]) throws -> (lines: [String], rest: String?) {
        var splitter = LineSplitter()
        var lines: [String] = []
        for chunk in chunks {
            lines += try splitter.split(Array(chunk.utf8)).map { String(decoding: $0, as: UTF8.self) }
        }
        return (lines, splitter.rest.map { String(decoding: $0, as: UTF8.self) })
    }

    @Test func linesSpanChunks() throws {
        let (lines, rest) = try split(["one\ntw", "o", "\n\nthree\r\n", "rest"])
        #expect(lines == ["one", "two", "", "three\r"])
        #expect(rest == "rest")
        #expect(try split(["a\n"]).rest == nil)
    }

    @Test func keysAreSplitAtTheFirstSeparator() throws {
        let parser = LineParser(keySeparator: Array("::".utf8), key: nil, headers: [], partition: 2, isJSON: false)
        func record(_ text: String) throws -> [String?] {
            let record = try parser.record(ofLine: Array("xx\(text)".utf8)[2...])
            return [record.key, record.value].map { $0.map { String(decoding: $0, as: UTF8.self) } }
        }
        #expect(try record("a::b::c") == ["a", "b::c"])
        #expect(try record("::b") == ["", "b"])
        #expect(try record("a::") == ["a", ""])
        #expect(try record("a:b") == [nil, "a:b"])
        #expect(try record("") == [nil, ""])
        #expect(try parser.record(ofLine: []).partition == 2)
    }
}

@Suite struct AmountTests {
    @Test func peopleReadThreeDigits() {
        #expect(Amount.count(999) == "999")
        #expect(Amount.count(1_234) == "1.2 k")
        #expect(Amount.count(123_456) == "123 k")
        #expect(Amount.count(999_999) == "1.0 M")
        #expect(Amount.bytes(1_536) == "1.5 KiB")
        #expect(Amount.seconds(0.049) == "0.05 s")
        #expect(Amount.seconds(12.34) == "12.3 s")
    }
}

@Suite struct SignalMeaningTests {
    @Test func whatFollowsAtOnceBelongsToTheFirst() {
        var meaning = SignalMeaning()
        let start: UInt64 = 5_000_000_000
        #expect(meaning.of(signalAt: start) == .first)
        #expect(meaning.of(signalAt: start + 3_000) == .echo)
        #expect(meaning.of(signalAt: start + 250_000_000) == .echo)
        #expect(meaning.of(signalAt: start + 250_000_001) == .second)
        #expect(meaning.of(signalAt: start + 9_000_000_000) == .second)
    }
}
