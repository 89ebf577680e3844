import Telemetry
import Testing

@Suite("The text of a stream's labels")
struct StreamLabelsTextTests {
    @Test(arguments: [
        (#"{app="x",host="y"}"#, #"{app="x",host="y"}"#),
        (#" { host = 'y' , app=`x\y`, } "#, #"{app="x\\y",host="y"}"#),
        ("{}", "{}"),
        (#"{a=""}"#, "{}"),
        (#"{a="\u00e4\t\"\x41\101"}"#, #"{a="ä\t\"AA"}"#),
        ("{a=\"\u{1}\u{7F}\u{85}\u{200B}\u{A0}\"}", #"{a="\x01\x7f\u0085\u200b\u00a0"}"#),
    ])
    func canonical(text: String, expected: String) throws {
        let labels = try StreamLabels(text: text)
        #expect(labels.text == expected)
        #expect(try StreamLabels(text: labels.text) == labels)
    }

    @Test(arguments: [
        ("", "1:1: parse error: unexpected end of input"),
        ("app", #"1:1: parse error: unexpected identifier "app""#),
        ("{app}", #"1:5: parse error: unexpected character: '}' in label set, expected "=""#),
        ("{app=x}", #"1:6: parse error: unexpected identifier "x" in label set, expected string"#),
        (#"{app="x}"#, "1:6: parse error: unterminated quoted string"),
        (#"{app="x""#, #"1:9: parse error: unexpected end of input in label set, expected "," or "}""#),
        (#"{a="x" b="y"}"#, #"1:8: parse error: unexpected identifier "b" in label set, expected "," or "}""#),
        ("{\n9=\"x\"}", #"2:1: parse error: unexpected identifier "9" in label set, expected identifier or "}""#),
        (#"{a="\q"}"#, "1:4: parse error: invalid escape"),
        (#"{a="1",a="2"}"#, "1:8: parse error: duplicate label name: 'a'"),
        (#"{a="1"} x"#, #"1:9: parse error: unexpected identifier "x""#),
    ])
    func faults(text: String, expected: String) {
        let error = #expect(throws: LabelsTextError.self) { _ = try StreamLabels(text: text) }
        #expect(error?.description == expected)
    }
}
