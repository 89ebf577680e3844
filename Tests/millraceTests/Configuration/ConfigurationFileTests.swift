import ServeKafka
import Testing

@testable import millrace

/// Every kind of mistake in a file, with what a person is told.
@Suite struct ConfigurationFileTests {
    private func mistakes(_ bytes: [UInt8]) -> [String] {
        let file = ConfigurationFile(bytes, name: "m.yaml")
        return ConfigurationFailure(mistakes: Configuration(file.values, mistakes: file.mistakes).mistakes).mistakes
            .map(\.description)
    }

    private func mistakes(_ text: String) -> [String] { mistakes(Array(text.utf8)) }

    @Test(arguments: [
        ("kafka-listn: 127.0.0.1:1", #"m.yaml:1:1: unknown key "kafka-listn": did you mean kafka-listen?"#),
        ("data: d\nkafka_listen: a:1", #"m.yaml:2:1: unknown key "kafka_listen": did you mean kafka-listen?"#),
        ("brokers: 3", #"m.yaml:1:1: unknown key "brokers": `millrace config` lists all"#),
        (
            "topic-defaults: {linger.ms: 5}",
            #"m.yaml:1:18: unknown topic config "linger.ms": `millrace config` lists all"#
        ),
        (
            "topic-defaults:\n  retention.mss: 5",
            #"m.yaml:2:3: unknown topic config "retention.mss": did you mean retention.ms?"#
        ),
        (
            "topic-defaults:\n  retention.ms: soon",
            "m.yaml:2:17: topic-defaults.retention.ms is \"soon\"; it must be a whole number from -1 to 9223372036854775807"
        ),
        (
            "topic-defaults: 5",
            "m.yaml:1:17: topic-defaults is \"5\"; it must be a mapping of topic configs, such as {retention.ms: 86400000}"
        ),
        (
            "max-connections: many",
            #"m.yaml:1:18: max-connections is "many"; it must be a whole number from 1 to 1000000"#
        ),
        ("max-connections: 0", #"m.yaml:1:18: max-connections is "0"; it must be a whole number from 1 to 1000000"#),
        (
            "max-connections: 99999999999999999999",
            #"m.yaml:1:18: max-connections is "99999999999999999999"; it must be a whole number from 1 to 1000000"#
        ),
        (
            "max-connections: 1.5",
            #"m.yaml:1:18: max-connections is "1.5"; it must be a whole number from 1 to 1000000"#
        ),
        ("max-connections: [1]", "m.yaml:1:18: max-connections is a list; it must be a whole number from 1 to 1000000"),
        ("data: {a: b}", "m.yaml:1:7: data is a mapping; it must be a text on one line"),
        ("data:", "m.yaml:1:6: data has no value; it must be a text on one line, or the line has to go"),
        ("data: ~", "m.yaml:1:7: data has no value; it must be a text on one line, or the line has to go"),
        ("data: |\n  a\n  b", "m.yaml:1:7: data is \"a?b\"; it must be a text on one line"),
        ("auto-create-topics: yes", #"m.yaml:1:21: auto-create-topics is "yes"; it must be true or false"#),
        ("log-format: xml", #"m.yaml:1:13: log-format is "xml"; it must be one of logfmt, json"#),
        (
            "kafka-listen: 9092",
            #"m.yaml:1:15: kafka-listen is "9092"; it must be HOST:PORT, such as 127.0.0.1:9092 or [::1]:9092"#
        ),
        ("data: a\nstop-timeout: 1\ndata: b", #"m.yaml:3:1: key "data" is given again: line 1 has it already"#),
        ("{data: a, data: b}", #"m.yaml:1:2: key "data" is given more than once: keep one"#),
        ("[1, 2]: 3", "m.yaml:1:1: a list is no setting's name"),
        ("- data", "m.yaml:1:1: a list stands where settings are expected: write a line `NAME: VALUE` for each"),
        ("data", #"m.yaml:1:1: "data" stands where settings are expected: write a line `NAME: VALUE` for each"#),
        ("", "m.yaml:1:1: the file is empty: `millrace config --yaml` prints one to start from"),
        (" \n\t\n", "m.yaml:1:1: the file is empty: `millrace config --yaml` prints one to start from"),
        ("data: a\nb", "m.yaml:3:1: this is not YAML: while scanning a simple key, could not find expected ':'"),
        (
            "kafka-listen: [::1]:9092",
            "m.yaml:1:16: this is not YAML: while parsing a flow node, did not find expected node content; a value that begins with [ needs quotes"
        ),
        ("data: a\u{1}", "m.yaml:1:8: this is not YAML: control characters are not allowed"),
        (
            "data: a\n---\ndata: b",
            "m.yaml:2:1: this is not YAML: expected a single document in the stream, but found another document"
        ),
        ("a: &x 1", "m.yaml:1:4: anchors (&name) and aliases (*name) are not taken here: write the value out"),
        ("b: [*x, *x]", "m.yaml:1:5: anchors (&name) and aliases (*name) are not taken here: write the value out"),
        (
            "kafka-listen: 0.0.0.0:9092",
            """
            m.yaml:1:15: kafka-listen is 0.0.0.0:9092, which is no loopback address, and nothing asks who connects: \
            anyone who can reach it could read, write and delete everything. Listen on 127.0.0.1 or [::1], or say \
            --allow-unauthenticated-public.
            """
        ),
        ("advertised-listener: a:0", "m.yaml:1:22: advertised-listener needs a port above 0"),
        (
            "group-min-session-timeout: 9000\ngroup-max-session-timeout: 8000",
            """
            m.yaml:1:28: group-min-session-timeout does not fit: group-min-session-timeout is 9000, more than \
            group-max-session-timeout, which is 8000
            """
        ),
    ])
    func aMistakeIsToldWithItsPlaceAndWhatIsRight(text: String, message: String) {
        #expect(mistakes(text) == [message])
    }

    @Test func allMistakesAreToldAtOnceInTheOrderOfTheFile() {
        let text = "max-connections: x\nkafka-lisen: y\nlog-level: [z]\nstop-timeout: -1\n"
        #expect(mistakes(text).map { $0.split(separator: ":")[1] } == ["1", "2", "3", "4"])
        let many = ConfigurationFile(Array((0..<500).map { "unknown\($0): 1\n" }.joined().utf8), name: "m.yaml")
        let lines = ConfigurationFailure(mistakes: many.mistakes).description.split(separator: "\n")
        #expect(lines.count == 21 && lines.last == "and 480 more")
    }

    @Test func bytesThatAreNoTextAreTold() {
        #expect(mistakes(Array("data: a\nb: é".utf8.dropLast())) == ["m.yaml:2:4: not UTF-8: save the file as UTF-8"])
        let huge = [UInt8](repeating: UInt8(ascii: "#"), count: ConfigurationFile.maximumBytes + 1)
        #expect(mistakes(huge) == ["m.yaml: the file has more than 1048576 bytes: this is no configuration"])
        #expect(mistakes(Array(huge.dropLast())) == [])
    }

    @Test(arguments: ["[", "- ", "{a: ", "? "])
    func depthIsBounded(piece: String) {
        let told = mistakes(String(repeating: piece, count: 200_000))
        #expect(told.count == 1 && told[0].hasSuffix("this is nested too deeply: settings are names with values"))
    }

    @Test func commentsQuotesAndNothingAtAll() {
        #expect(mistakes("# nothing is set\n") == [])
        #expect(mistakes("topic-defaults:\n  # retention.ms: 5\n") == [])
        let text = """
            \u{feff}# a comment & *more
            data: "a &b" # *c
            max-connections: "7"\r
            'kafka-listen': "[::1]:9092"
            """
        let file = ConfigurationFile(Array(text.utf8), name: "m.yaml")
        let settings = Configuration(file.values, mistakes: file.mistakes)
        #expect(settings.mistakes == [])
        #expect(settings.settings.data == "a &b" && settings.settings.kafka.maximumConnections == 7)
        #expect(settings.settings.kafka.host == "::1")
    }
}
