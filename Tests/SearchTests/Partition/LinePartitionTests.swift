import Columns
import KafkaWire
import Patterns
import Search
import Telemetry
import Testing
import View

/// What a partition answers after a few lines.
@Suite struct LinePartitionTests {
    @Test func linesComeBackByStreamAndTime() throws {
        var site = try LineSite()
        try site.push("{app=\"a\"}", [(30, "three"), (10, "one"), (20, "two")])
        try site.push("{app=\"b\",host=\"x\"}", [(-5, "before 1970"), (25, "level=error other")])
        // Another way to write the same labels.
        try site.push("{ host=\"x\", app=\"b\" }", [(26, "more")])
        #expect(try site.partition.texts() == ["before 1970", "one", "two", "level=error other", "more", "three"])
        #expect(try site.partition.texts("{app=\"a\"}") == ["one", "two", "three"])
        #expect(
            try site.partition.texts("{host=~\"x|y\"}", .contains(bytes("o"))) == [
                "before 1970", "level=error other", "more",
            ])
        #expect(
            try site.partition.streams(matching: [], in: .all).map(\.text) == [
                "{app=\"a\"}", "{app=\"b\",host=\"x\"}",
            ])
        #expect(try site.partition.streams(matching: [], in: TimeWindow(start: 26, end: 40)).count == 1)
        var request = LineRequest(matchers: [], range: TimeWindow(start: 10, end: 25))
        request.descending = true
        request.wantsLengths = true
        let found = try site.partition.lines(request)
        #expect(found.map(\.time) == [20, 25])
        #expect(found.map(\.level) == [.unknown, .error])
    }

    @Test func aRecordWithoutLabelsIsFoundByItsTopic() throws {
        var site = try LineSite()
        let line = bytes("x")
        try site.append(
            .init(
                records: [
                    .init(key: nil, value: line, timestamp: -1), .init(key: "user 7", value: line, timestamp: 5),
                    .init(key: "{broken", value: line, timestamp: 6),
                ], time: 3))
        let found = try site.partition.lines(LineRequest(matchers: [], range: .all))
        #expect(Set(found.map(\.stream)) == ["{topic=\"logs.test\"}"])
        #expect(found.map(\.time) == [3_000_000, 5_000_000, 6_000_000])
        #expect(found.map(\.metadata) == [[:], ["key": "user 7"], ["key": "{broken"]])
    }

    @Test func headersAreMetadataButForTheNanoseconds() throws {
        var site = try LineSite()
        let header = { RecordHeader(key: $0, value: bytes($1)) }
        try site.append(
            .init(
                records: [
                    .init(
                        key: "{a=\"1\"}", value: bytes("x"), headers: [header("ns", "123"), header("t", "q\"\\ö")],
                        timestamp: 1),
                    .init(
                        key: "{a=\"1\"}", value: bytes("y"), headers: [header("t", "q\"\\ö"), header("ns", "1234567")],
                        timestamp: 2),
                    .init(
                        key: "{a=\"1\"}", value: bytes("z"), headers: [header("level", "warn"), header("empty", "")],
                        timestamp: 3),
                ], time: 3))
        let found = try site.partition.lines(LineRequest(matchers: [], range: .all))
        #expect(found.map(\.time) == [1_000_123, 2_000_000, 3_000_000])
        #expect(found.map(\.metadata) == [["t": "q\"\\ö"], ["t": "q\"\\ö", "ns": "1234567"], ["level": "warn"]])
        #expect(found.map(\.level) == [.unknown, .unknown, .warn])
    }

    @Test func aRepeatedPushDoesNoHarm() throws {
        var site = try LineSite()
        for _ in 0..<2 { try site.push("{a=\"1\"}", [(1, "x"), (1, "y"), (2, "x")]) }
        try site.push("{a=\"2\"}", [(1, "x")])
        #expect(try site.partition.texts().count == 4)
        try site.command(.delete(SearchDeletion(selector: "{a=\"1\"}", first: 1, last: 1)))
        #expect(try site.partition.texts() == ["x", "x"])
        // After the deletion the line is a new one.
        try site.push("{a=\"1\"}", [(1, "x"), (1, "x")])
        #expect(try site.partition.texts() == ["x", "x", "x"])
    }

    @Test func whatIsBeyondTheBoundsIsRefusedInLokisWords() throws {
        var site = try LineSite()
        var limits = SearchLimits()
        (limits.streams, limits.labels, limits.labelNameBytes, limits.labelValueBytes, limits.lineBytes) = (
            2, 2, 4, 5, 6
        )
        (limits.metadataEntries, limits.metadataBytes) = (1, 8)
        try site.command(.setLimits(limits))
        func refusal(_ stream: String, _ line: String = "x", _ metadata: [(String, String)] = []) throws -> [String] {
            try site.append(.init(records: [LineSite.record(stream, 1, bytes(line), metadata)], time: 1)).map(\.reason)
        }
        #expect(
            try refusal("{a=\"1\",b=\"2\",c=\"3\"}") == [
                "entry for stream '{a=\"1\",b=\"2\",c=\"3\"}' has 3 label names; limit 2"
            ])
        #expect(try refusal("{abcde=\"1\"}") == ["stream '{abcde=\"1\"}' has label name too long: 'abcde'"])
        #expect(try refusal("{a=\"123456\"}") == ["stream '{a=\"123456\"}' has label value too long: '123456'"])
        #expect(try refusal("{a=\"1\"}").isEmpty)
        #expect(
            try refusal("{a=\"1\"}", "1234567") == [
                "Max entry size '6' bytes exceeded for stream '{a=\"1\"}' while adding an entry with length '7' bytes"
            ])
        #expect(
            try refusal("{a=\"1\"}", "x", [("k", "1"), ("l", "2")]) == [
                "stream '{a=\"1\"}' has too many structured metadata labels: '2', limit: '1'"
            ])
        #expect(
            try refusal("{a=\"1\"}", "x", [("k", "12345678")]) == [
                "stream '{a=\"1\"}' has structured metadata too large: '9' bytes, limit: '8' bytes"
            ])
        #expect(try refusal("{a=\"2\"}").isEmpty)
        #expect(
            try refusal("{a=\"3\"}").first?.hasPrefix(
                "Maximum active stream limit exceeded when trying to create stream {a=\"3\"}") == true)
        #expect(try refusal("{a=\"2\"}").isEmpty)
        let far = try site.append(
            .init(records: [.init(key: "{a=\"1\"}", value: bytes("x"), timestamp: .max)], time: 1))
        #expect(
            far.map(\.reason) == ["timestamp 9223372036854775807 ms is beyond what nanoseconds in 64 bits can tell"])
        #expect(try site.partition.texts().count == 2)
    }

    @Test func aLineMayBeAMebibyteLong() throws {
        var site = try LineSite()
        var limits = SearchLimits()
        limits.lineBytes = 64 << 20
        try site.command(.setLimits(limits))
        let long = [UInt8](repeating: 0xFF, count: 1 << 20)
        let records = [long, long + [1], [0, 0xC3, 0x28], []].enumerated().map {
            LineSite.record("{a=\"1\"}", Int64($0.offset), $0.element)
        }
        #expect(try site.append(.init(records: records, time: 1)).map(\.offset) == [2])
        let found = try site.partition.lines(LineRequest(matchers: [], range: .all))
        #expect(found.map(\.line) == [long, [0, 0xC3, 0x28], []])
    }

    @Test func streamsOfTheDaysBeforeNoLongerCount() throws {
        var site = try LineSite()
        var limits = SearchLimits()
        limits.streams = 2
        try site.command(.setLimits(limits))
        let day = ActiveDay.milliseconds
        func isTaken(_ name: String, _ now: Int64) throws -> Bool {
            try site.push("{a=\"\(name)\"}", [(now, name)], now: now).isEmpty
        }
        #expect(try isTaken("1", 1) && isTaken("2", 2))
        #expect(try !isTaken("3", 3))
        #expect(try isTaken("1", day))
        #expect(try !isTaken("3", day + 1))
        // The second had no line for a day.
        #expect(try isTaken("3", 2 * day))
        #expect(try !isTaken("2", 2 * day))
    }

    @Test func whatTheConditionsAskHolds() throws {
        var site = try LineSite()
        try site.push(
            "{a=\"1\"}",
            [
                (1, #"{"status":500,"user":{"name":"Bob"},"msg":"Refused"}"#),
                (2, "status=404 level=warn msg=\"not found\""),
                (3, "REFUSED by peer"),
            ])
        let json = FieldReference(.json, "user_name"), status = FieldReference(.json, "status")
        func times(_ condition: LineCondition) throws -> [Int64] {
            var request = LineRequest(matchers: [], range: .all)
            request.condition = condition
            return try site.partition.lines(request).map(\.time)
        }
        #expect(try times(.containsIgnoringCase(bytes("refused"))) == [1, 3])
        #expect(try times(.field(json, .equals(bytes("Bob")))) == [1])
        #expect(try times(.field(status, .number(.greaterOrEqual, 500))) == [1])
        #expect(try times(.field(FieldReference(.logfmt, "msg"), .equals(bytes("not found")))) == [2])
        #expect(try times(.field(FieldReference(.logfmt, "status"), .exists)) == [2])
        #expect(try times(.matches(Pattern("ref?used|[0-9]{3}"), needs: [])) == [1, 2])
        #expect(try times(.level([.warn])) == [2])
        #expect(
            try times(.and([.not(.level([.warn])), .or([.contains(bytes("peer")), .contains(bytes("Bob"))])])) == [
                1, 3,
            ])
        var request = LineRequest(matchers: [], range: .all)
        request.fields = [status, json]
        let batch = try #require(try site.partition.scan(request).first?.next())
        #expect(
            batch.fields.map(\.codes) == [
                [0, TextColumn.missing, TextColumn.missing], [0, TextColumn.missing, TextColumn.missing],
            ])
        #expect(batch.fields[1].dictionary.withString(0) { Array($0) } == bytes("Bob"))
    }

    /// Far more than one piece of the head's memory.
    @Test func aRareTextIsFoundInALargeHead() throws {
        var site = try LineSite()
        let records = (0..<9_000).map { number in
            LineSite.record(
                "{a=\"needle \(number % 7)\"}", Int64(number), bytes("line \(number) of a head; \(number % 999) ends"))
        }
        #expect(try site.append(.init(records: records, time: 1)).isEmpty)
        for text in ["; 77 ", "line 8123 of", "needle", "endsline"] {
            let expected = records.map { String(decoding: $0.value, as: UTF8.self) }.filter { $0.contains(text) }
            #expect(try site.partition.texts("{}", .contains(bytes(text))) == expected)
        }
    }

    @Test func totalsCountByBucketAndLevel() throws {
        var site = try LineSite()
        try site.push("{a=\"1\"}", [(10, "error"), (11, "x"), (20, "error!"), (21, "y"), (31, "z")])
        var request = TotalsRequest(matchers: [], start: 0, bucketNanoseconds: 10, bucketCount: 3)
        request.byLevel = true
        let totals = try site.partition.totals(request)
        #expect(totals.map(\.stream.text) == ["{a=\"1\"}"])
        #expect(
            totals.first?.entries == [
                .init(bucket: 0, level: .error, lines: 1, bytes: 5),
                .init(bucket: 1, level: .unknown, lines: 1, bytes: 1),
                .init(bucket: 1, level: .error, lines: 1, bytes: 6),
                .init(bucket: 2, level: .unknown, lines: 1, bytes: 1),
            ])
        request.bucketCount = 1_000_000
        #expect(throws: SearchError.self) { try site.partition.totals(request) }
    }
}

enum ActiveDay {
    static let milliseconds: Int64 = 86_400_000
}
