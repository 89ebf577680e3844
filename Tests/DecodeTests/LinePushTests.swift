import Bytes
import Decode
import MillraceTesting
import Telemetry
import Testing

/// What a push holds, as lines of text: `{labels} time "line" {metadata}`, and the failures.
func rendered(_ push: LinePush) -> [String] {
    func text(_ range: Range<Int>) -> String { String(decoding: push.bytes[range], as: UTF8.self) }
    var lines: [String] = []
    for stream in push.streams {
        if stream.entries.isEmpty { lines.append("\(stream.labels.text) -") }
        for entry in stream.entries {
            let fields = push.fields[entry.metadata].map { " \(text($0.name))=\(text($0.value))" }.joined()
            lines.append("\(stream.labels.text) \(entry.time) \(text(entry.line))\(fields)")
        }
    }
    return lines + push.failures.map { "failure: \($0)" }
}

@Suite struct LokiJSONTests {
    private func decode(_ text: String) throws -> [String] {
        rendered(try Array(text.utf8).withUnsafeBytes { try LokiJSON.decode($0) })
    }

    @Test func aPushIsRead() throws {
        let text = """
            {"streams": [
              {"stream": {"host": "y", "app": "x"},
               "values": [["1700000000000000001", "one"], ["1700000000000000002", "two", {"trace": "abc", "n": "1"}]]},
              {"values": [[3, "three", null]], "stream": {"app": "z"}, "other": [{"a": [1, 2.5e3, true, null]}]}
            ], "other": "\\""}
            """
        #expect(
            try decode(text) == [
                #"{app="x",host="y"} 1700000000000000001 one"#,
                #"{app="x",host="y"} 1700000000000000002 two trace=abc n=1"#,
                #"{app="z"} 3 three"#,
            ])
        #expect(try decode(#"{"streams":[]}"#) == [])
        #expect(try decode(#"{"streams":null}"#) == [])
        #expect(try decode(#"{"streams":[{"stream":{"a":"b"},"values":null}]}"#) == [#"{a="b"} -"#])
    }

    @Test(arguments: [
        (#"a\"b\\c\/d\n\t\r\b\f"#, "a\"b\\c/d\n\t\r\u{8}\u{C}"), (#"\u00e9\uD83D\uDE00é😀"#, "é😀é😀"),
        (#"\ud83d x \ude00"#, "\u{FFFD} x \u{FFFD}"), (#"\ud83d\u0041"#, "\u{FFFD}A"), ("", ""),
        (#"\u0000"#, "\u{0}"), ("12345678", "12345678"), (#"1234567\""#, "1234567\""),
        (#"{\"a\":\"b\",\"c\":[\"d\"],\"e\":\"f\"}"#, #"{"a":"b","c":["d"],"e":"f"}"#),
    ])
    func escapesAreUndone(_ escaped: String, _ plain: String) throws {
        for padding in 0..<9 {
            let filler = String(repeating: "x", count: padding)
            let text = #"{"streams":[{"stream":{"a":"b"},"values":[["1","\#(filler)\#(escaped)"]]}]}"#
            #expect(try decode(text) == [#"{a="b"} 1 \#(filler)\#(plain)"#])
        }
    }

    @Test func whatIsNoUTF8IsKept() throws {
        let bytes = Array(#"{"streams":[{"stream":{"a":"b"},"values":[["1",""#.utf8) + [0xFF, 0x00, 0xC3]
        let push = try (bytes + Array(#""]]}]}"#.utf8)).withUnsafeBytes { try LokiJSON.decode($0) }
        #expect(Array(push.bytes[push.streams[0].entries[0].line]) == [0xFF, 0x00, 0xC3])
    }

    @Test func badEntriesStandBesideGoodOnes() throws {
        let values = [
            #"["1","good"]"#, #"["x","a"]"#, #"[{},"a"]"#, #"["1"]"#, #"["1",2]"#, #"["1","a",{"b":1}]"#,
            #"["1","a",{},3]"#, #""1""#, #"["99999999999999999999","a"]"#, #"["1","a",[]]"#, #"[]"#,
            #"["2","last",{"c":"d"}]"#,
        ].joined(separator: ", ")
        let found = try decode(#"{"streams":[{"values":[\#(values)],"stream":{"app":"x"}},{"stream":{"a":1}}]}"#)
        #expect(found.prefix(2) == [#"{app="x"} 1 good"#, #"{app="x"} 2 last c=d"#])
        #expect(found.count == 13)
        #expect(found[2].hasPrefix(#"failure: stream {app="x"}, entry 2: the time is no number"#))
        #expect(found[11].hasPrefix(#"failure: stream {app="x"}, entry 11: the time"#))
        #expect(found[12] == "failure: stream 2: labels are an object of names and strings")
    }

    @Test func failuresAreToldUpToABound() throws {
        let values = Array(repeating: "[]", count: 1_000).joined(separator: ",")
        let text = #"{"streams":[{"stream":{"app":"x"},"values":[\#(values)]}]}"#
        let push = try Array(text.utf8).withUnsafeBytes { try LokiJSON.decode($0) }
        #expect(push.failures.count == LinePush.maximumFailures && push.failureCount == 1_000)
    }

    @Test(arguments: [
        "", "{", "[]", "{}", "null", "x", #"{"streams"}"#, #"{"streams":[{]}"#, #"{"streams":[]} x"#,
        #"{"streams":[{"stream":{"a":"b"},"values":[["1","x"#, #"{"streams":[{"stream":{"a":"\q"}}]}"#,
        #"{"streams":[{"stream":{"a":"\u12"}}]}"#, #"{"streams":[{"stream":{"a":"b"},"values":[["1","x\"#,
        #"{"streams":[],"x":}"#, #"{"streams":[],"x":]}"#, #"{"streams":[],}"#, #"{"streams":{}}"#,
    ])
    func whatIsNoPushIsRefused(_ text: String) {
        let error = #expect(throws: DecodeError.self) { try decode(text) }
        #expect(error?.code == .malformed)
    }

    @Test func depthIsBounded() {
        let deep = String(repeating: "[", count: 100_000)
        let error = #expect(throws: DecodeError.self) { try decode(#"{"streams":[],"x":\#(deep)"#) }
        #expect(error?.code == .limitReached)
    }

    /// Every prefix, and every byte replaced: whatever happens, it ends, and reads no byte that is not its own.
    @Test func damagedTextsTrapNothing() {
        let text =
            #"{"streams":[{"stream":{"app":"x"},"values":[["1","a\"\\\u00e9\ud83d\ude00b",{"t":"v"}],[2,"c"]]}]}"#
        let bytes = Array(text.utf8)
        for count in 0..<bytes.count {
            _ = Array(bytes[..<count]).withUnsafeBytes { bytes in
                #expect(throws: DecodeError.self) { try LokiJSON.decode(bytes) }
            }
        }
        for place in bytes.indices {
            for byte in [0, 0x22, 0x5C, 0x7B, 0x7D, 0x5B, 0x5D, 0x2C, 0x3A, 0x30, 0xFF] as [UInt8] {
                var damaged = bytes
                damaged[place] = byte
                _ = damaged.withUnsafeBytes { try? LokiJSON.decode($0) }
            }
        }
    }
}
