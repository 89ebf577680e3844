import Decode
import Telemetry
import Testing

@Suite struct JSONLinesTests {
    private func decode(_ text: String, _ change: (inout JSONLines) -> Void = { _ in }) -> [String] {
        var lines = JSONLines()
        change(&lines)
        return rendered(Array(text.utf8).withUnsafeBytes { lines.decode($0, now: 42) })
    }

    @Test func membersBecomeTimeLineLabelsAndMetadata() {
        let text = """
            {"time":"2023-11-14T22:13:20.5Z","message":"a \\"b\\"","app":"x","n":1.5,"o":{"p":[1]},"z":null,"t":true}
            {"_msg":"now","app":"x"}\r

            {"ts":1700000000,"msg":"s","app":"y","k8s.pod":"p"}
            {"level":"info","app":"x"}
            """
        let found = decode(text) { $0.streamNames = ["app", "k8s.pod"] }
        #expect(
            found == [
                #"{app="x"} 1700000000500000000 a "b" n=1.5 o={"p":[1]} t=true"#, #"{app="x"} 42 now"#,
                #"{app="x"} 42 {"level":"info","app":"x"}"#, #"{app="y",k8s_pod="p"} 1700000000000000000 s"#,
            ])
    }

    @Test func namesAreTheCallers() {
        let found = decode(#"{"at":"1700000000123","text":"x","time":"t","message":"m","drop":[1,{}]}"#) {
            $0.timeNames = ["at"]
            $0.messageNames = ["text"]
            $0.ignoredNames = ["drop"]
            $0.labels = [.init("env", "prod")]
        }
        #expect(found == [#"{env="prod"} 1700000000123000000 x time=t message=m"#])
        #expect(decode(#"{"message":"m"}"#) == [#"{source="jsonline"} 42 m"#])
    }

    @Test func badLinesStandBesideGoodOnes() {
        let found = decode(
            "{\"msg\":\"a\"}\nno json\n{\"msg\":\"b\"} x\n[1]\n{\"msg\":\"c\",\"time\":\"then\"}\n{\"msg\":\"d")
        #expect(found.first == #"{source="jsonline"} 42 a"#)
        #expect(found.count == 6 && found[1].hasPrefix("failure: line 2:") && found[5].hasPrefix("failure: line 6:"))
        #expect(found[4] == "failure: line 5: the time is none")
    }

    @Test func damagedTextsTrapNothing() {
        let bytes = Array(#"{"time":"2023-11-14T22:13:20Z","msg":"a\u00e9","o":{"p":[1]},"s":"v"}"#.utf8)
        for count in 0...bytes.count {
            let push = Array(bytes[..<count]).withUnsafeBytes { JSONLines().decode($0, now: 1) }
            #expect(push.lineCount == (count == bytes.count ? 1 : 0))
        }
        for place in bytes.indices {
            for byte in [0, 0x0A, 0x22, 0x5C, 0x7B, 0x7D, 0x5B, 0x5D, 0x2C, 0x3A, 0x30, 0xFF] as [UInt8] {
                var damaged = bytes
                damaged[place] = byte
                let push = damaged.withUnsafeBytes { JSONLines().decode($0, now: 1) }
                #expect(push.lineCount + push.failureCount >= 1)
            }
        }
    }
}
