import Testing

@testable import Telemetry

/// What the table of verdicts cannot hold: what InfluxDB 1.6.7 lacks, and what is too long for a table.
@Suite struct LineParserTests {
    private func read(_ text: String, _ precision: TimePrecision = .nanoseconds) -> LineReading {
        LineReading(Array(text.utf8), precision: precision)
    }

    @Test func unsignedIntegersAreRead() {
        #expect(read("cpu v=1u").points == ["cpu v=1u"])
        #expect(read("cpu v=18446744073709551615u").points == ["cpu v=18446744073709551615u"])
        #expect(
            read("cpu v=18446744073709551616u").error == """
                unable to parse 'cpu v=18446744073709551616u': unable to parse unsigned 18446744073709551616: \
                strconv.ParseUint: parsing "18446744073709551616": value out of range
                """)
        for text in ["-1u", "u", "1.0u", "1uu", "1ui", "-u", "1e3u"] {
            #expect(read("cpu v=\(text)").points.isEmpty, "\(text)")
        }
    }

    @Test func aLineMayEndWithCarriageReturnAndNewline() {
        let lines = [
            "cpu v=1", "cpu v=1i 5", "cpu v=\"a\"", "cpu v=\"a\",w=t 7", "cpu,a=b v=f", "cpu v=\"a\\\"b\" 1", "",
        ]
        let points = read(lines.joined(separator: "\n")).points
        #expect(points.count == 6)
        #expect(read(lines.joined(separator: "\r\n")).points == points)
        #expect(read(lines.joined(separator: "\r\n") + "\r\n").points == points)
        #expect(read("cpu v=1\r\n\r\n\r\n").error == nil)
        #expect(read("cpu v=1\r,w=2").error != nil)
        #expect(read("cpu v=1\r 2").error != nil)
    }

    @Test func timesAreInTheUnitOfThePrecision() {
        let expected: [TimePrecision: Int64] = [
            .nanoseconds: 7, .microseconds: 7_000, .milliseconds: 7_000_000, .seconds: 7_000_000_000,
            .minutes: 420_000_000_000, .hours: 25_200_000_000_000,
        ]
        for precision in TimePrecision.allCases {
            let time = expected[precision] ?? 0
            #expect(read("cpu v=1 7", precision).points == ["cpu v=1.0 \(time)"])
            #expect(read("cpu v=1 -7", precision).points == ["cpu v=1.0 -\(time)"])
            #expect(TimePrecision(name: precision.name) == precision)
            let most = TimePrecision.times.upperBound / precision.nanoseconds
            #expect(read("cpu v=1 \(most)", precision).points.count == 1)
            let tooMuch = read("cpu v=1 \(precision == .nanoseconds ? Int64.max : most + 1)", precision)
            #expect(
                tooMuch.error?.hasSuffix(": time outside range -9223372036854775806 - 9223372036854775806") == true)
        }
    }

    @Test func longKeysAndLongStringsAreRefused() {
        let name = String(repeating: "m", count: 65_535)
        #expect(read("\(name)m v=1").error?.hasSuffix(": max key length exceeded: 65536 > 65535") == true)
        #expect(read("\(name) v=1").error?.hasSuffix(": max key length exceeded: 65540 > 65535") == true)
        #expect(read("\(name.dropLast(5)) v=1").points.count == 1)
        #expect(read("\(name.dropLast(5)) vv=1").error?.hasSuffix(": max key length exceeded: 65536 > 65535") == true)
        #expect(read("cpu \(name)=1").error?.hasSuffix(": max key length exceeded: 65542 > 65535") == true)
        let text = String(repeating: "x", count: 65_536)
        #expect(read("cpu v=\"\(text)\"").points.count == 1)
        #expect(
            read("cpu v=\"\(text)x\",w=1\ncpu w=1").error
                == "partial write: input field \"v\" on measurement \"cpu\" is too long, 65537 > 65536 dropped=1")
    }

    @Test func aLongLineIsQuotedInPart() {
        let error = read(String(repeating: "x", count: 100_000)).error
        #expect(error == "unable to parse '\(String(repeating: "x", count: 1_024))…': missing fields")
    }

    @Test func manyTagsAndFields() {
        let tags = (0..<300).map { "t\(1_000 - $0)=\($0)" }.joined(separator: ",")
        let fields = (0..<500).map { "f\(1_000 + $0)=\($0)i" }.joined(separator: ",")
        let points = read("cpu,\(tags) \(fields) 1").points
        #expect(points.count == 1)
        #expect(points.first?.hasSuffix(" \(fields) 1") == true)
        #expect(points.first?.hasPrefix("cpu,t1000=0,t701=299,t702=298,") == true)
        #expect(read("cpu,\(tags),t800=5 v=1").error?.hasSuffix(": duplicate tags") == true)
    }

    @Test func positionsAreThoseOfTheBytes() {
        Array("# c\n  cpu,b=2,a=1 v=1i,s=\"x\\\"y\" 5 \n\nmem f=t".utf8).withUnsafeBytes { bytes in
            var parser = LineParser(bytes)
            #expect(parser.next() == .point)
            #expect(String(decoding: bytes[parser.line], as: UTF8.self) == "cpu,b=2,a=1 v=1i,s=\"x\\\"y\" 5 ")
            #expect(String(decoding: bytes[parser.key], as: UTF8.self) == "cpu,b=2,a=1")
            #expect(parser.fields.map { String(decoding: bytes[$0.key], as: UTF8.self) } == ["v", "s"])
            #expect(parser.fields[0].integer == 1)
            #expect(String(decoding: bytes[parser.fields[1].string], as: UTF8.self) == "x\\\"y")
            #expect(parser.fields[1].escapes == .string)
            #expect(parser.time == 5)
            #expect(bytes[parser.nextLine - 1] == 10)
            #expect(parser.next() == .point)
            #expect(parser.line == bytes.count - 7..<bytes.count)
            #expect(parser.time == nil)
            #expect(parser.next() == .end)
            #expect(parser.nextLine == bytes.count)
        }
    }

    @Test func keysAreTakenApartAndSorted() {
        var key = SeriesKey()
        Array("c\\,p\\ u,z=1,a\\=b=x\\ y,m=\\q".utf8).withUnsafeBytes { key.parse($0) }
        func text(_ range: Range<Int>) -> String { String(decoding: key.bytes[range], as: UTF8.self) }
        #expect(text(key.measurement) == "c,p u")
        #expect(key.tags.map { text($0.key) } == ["a=b", "m", "z"])
        #expect(key.tags.map { text($0.value) } == ["x y", "\\q", "1"])
        var canonical: [UInt8] = []
        key.appendCanonical(to: &canonical)
        #expect(String(decoding: canonical, as: UTF8.self) == "c\\,p\\ u,a\\=b=x\\ y,m=\\q,z=1")
    }

    @Test func nothingIsReadFromNothing() {
        var parser = LineParser(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(parser.next() == .end)
    }
}
