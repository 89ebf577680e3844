import Telemetry
import Testing

/// The fields of a line as text: `name=value` joined by spaces, then the failure in brackets.
private func fields(
    _ format: FieldFormat, _ line: String, keepsEmpty: Bool = false, isStrict: Bool = false
) -> String {
    fields(format, Array(line.utf8), keepsEmpty: keepsEmpty, isStrict: isStrict)
}

private func fields(
    _ format: FieldFormat, _ line: [UInt8], keepsEmpty: Bool = false, isStrict: Bool = false
) -> String {
    let reader = FieldReader()
    var found: [String] = []
    let failure = line.withUnsafeBytes { bytes in
        reader.visit(format, bytes, keepsEmpty: keepsEmpty, isStrict: isStrict) { name, value in
            found.append(String(decoding: name, as: UTF8.self) + "=" + String(decoding: value, as: UTF8.self))
            return true
        }
    }
    if let failure { found.append("[\(failure.details)]") }
    return found.joined(separator: " ")
}

private func find(_ name: String, _ format: FieldFormat, _ line: String) -> String? {
    let reader = FieldReader()
    var failure: FieldFailure?
    let (name, line) = (Array(name.utf8), Array(line.utf8))
    return name.withUnsafeBytes { name in
        line.withUnsafeBytes { line in
            reader.find(name, format, line, failure: &failure).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

@Suite("Fields of lines, as Loki's parsers see them")
struct FieldReaderTests {
    @Test(arguments: [
        (#"{"a":1,"b":"x","c":true,"d":null,"e":1.50e3}"#, "a=1 b=x c=true e=1.50e3"),
        (#" { "a" : { "b" : { "c" : "d" } , "e" : [1,{"f":2}] } } trailing"#, "a_b_c=d"),
        (#"{"a b":1,"1x":2,"http.status-code":3," pad ":4,"ä":5}"#, "a_b=1 _1x=2 http_status_code=3 pad=4 _=5"),
        (#"{"a":"say \"hi\"\n\u00e4\ud83d\ude00","b":"\q","c":"\ud800"}"#, "a=say \"hi\"\nä😀 b= c="),
        (#"{"a":"","a":"2"}"#, "a= a=2"),
        (#"{"a":{"1x":1,"":2," ":{"b":3}}," ":{"c":4},"":5}"#, "a_1x=1 a=2 a_b=3 c=4"),
        (#"{}"#, ""),
        (#"{"a":1,}"#, "a=1"),
        (#"{"\u0061b":1}"#, "ab=1"),
        (#""text""#, "[Value looks like object, but can't find closing '}' symbol]"),
        ("", "[Value looks like object, but can't find closing '}' symbol]"),
        (#"{"a":1"#, "a=1 [Value is array, but can't find closing ']' symbol]"),
        (#"{"a":1 "b":2}"#, "a=1 [Value looks like object, but can't find closing '}' symbol]"),
        (#"{"a":"x}"#, "[Value is string, but can't find closing '\"' symbol]"),
        (#"{"a":{"b":1}"#, "a_b=1 [Value is array, but can't find closing ']' symbol]"),
        (#"{"a":{"b":1"#, "[Value looks like object, but can't find closing '}' symbol]"),
        (#"{"a" 1}"#, "[Malformed JSON error]"),
        (#"{"a":1,"b":nil}"#, "a=1 [Unknown value type]"),
        (#"{"a":[1,"b":2}"#, "[Value is array, but can't find closing ']' symbol]"),
    ])
    func json(line: String, expected: String) {
        #expect(fields(.json, line) == expected)
    }

    @Test(arguments: [
        ("a=1 b=\"two words\" c", "a=1 b=two words"),
        ("a=1 a=2 b=", "a=1 a=2"),
        (#"a="x \"y\" \n" b="\q" c=3"#, "a=x \"y\" \n c=3"),
        ("level=info msg=hello=x ts=2", "level=info ts=2"),
        ("=1 a=2", "a=2"),
        (#"x"y=1 b=2"#, "b=2"),
        ("http.code=3 9x=4", "http_code=3 _9x=4"),
        (#"a=1 b="open c=2"#, "a=1"),
    ])
    func logfmt(line: String, expected: String) {
        #expect(fields(.logfmt, line) == expected)
    }

    @Test func logfmtFlags() {
        #expect(fields(.logfmt, "a= b c=1", keepsEmpty: true) == "a= b= c=1")
        #expect(
            fields(.logfmt, "a=1 b=x=y c=2", isStrict: true) == "a=1 [logfmt syntax error at pos 8 : unexpected '=']")
        #expect(
            fields(.logfmt, "a=\"x", isStrict: true) == "[logfmt syntax error at pos 5 : unterminated quoted value]")
        #expect(
            fields(.logfmt, #"a="\q" b=1"#, isStrict: true) == "[logfmt syntax error at pos 7 : invalid quoted value]")
    }

    @Test func bytesThatAreNoTextBecomeSpaces() {
        #expect(fields(.json, Array(#"{"a":"x"#.utf8) + [0xFF, 0xC3] + Array(#"y"}"#.utf8)) == "a=x  y")
        #expect(fields(.logfmt, Array("a=x".utf8) + [0xFF] + Array("y b=\u{FFFD}".utf8)) == "a=x y b= ")
        #expect(fields(.json, #"{"a":"x\u00e4\ufffd"}"#) == "a=xä ")
    }

    @Test func findsOneField() {
        let json = #"{"a":1,"b":{"c":"x","d":{"e":2}},"a":"3","http.code":"4","n":"\u0041"}"#
        #expect(find("a", .json, json) == "1")
        #expect(find("b_c", .json, json) == "x")
        #expect(find("b_d_e", .json, json) == "2")
        #expect(find("http_code", .json, json) == "4")
        #expect(find("n", .json, json) == "A")
        #expect(find("b", .json, json) == nil)
        #expect(find("a", .logfmt, "a= a=1 b=2 a=3") == "1")
        #expect(find("b_x", .logfmt, #"a=1 b.x="\"q\"""#) == "\"q\"")
        #expect(find("c", .logfmt, "a=1") == nil)
    }

    @Test func stopsWhenAsked() {
        let reader = FieldReader()
        var count = 0
        Array(#"{"a":{"x":1,"y":2},"b":3}"#.utf8).withUnsafeBytes { line in
            _ = reader.visit(.json, line) { _, _ in
                count += 1
                return count < 2
            }
        }
        #expect(count == 2)
    }

    @Test func deepNestingEnds() {
        let line = String(repeating: #"{"a":"#, count: 10_000) + "1" + String(repeating: "}", count: 10_000)
        #expect(fields(.json, line) == "")
        let shallow = String(repeating: #"{"a":"#, count: 64) + "1" + String(repeating: "}", count: 64)
        #expect(fields(.json, shallow).hasSuffix("a=1"))
    }

    @Test func anyBytesAreRead() {
        // Every cut and every changed byte of a line that has everything.
        let line = Array(#"{"a":{"b":"\u00e4\\"},"c":[1],"d":1.5,"é":true} x="\"q" y=z"#.utf8)
        for index in line.indices {
            for byte in [0, 0x22, 0x5C, 0x7B, 0x7D, 0x3D, 0xFF] as [UInt8] {
                var changed = line
                changed[index] = byte
                for format in FieldFormat.allCases {
                    #expect(fields(format, changed, isStrict: true).utf8.count < 1_000)
                    #expect(fields(format, Array(changed[..<index])).utf8.count < 1_000)
                }
                changed.withUnsafeBytes { _ = LevelDetection.level(of: $0) }
            }
        }
    }
}
