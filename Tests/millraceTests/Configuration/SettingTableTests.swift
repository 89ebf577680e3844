import ArgumentParser
import Log
import Testing

@testable import millrace

/// That everything that tells of settings tells of the same.
@Suite struct SettingTableTests {
    @Test func flagsAreTheTable() throws {
        let help = ServeOptions.helpMessage(columns: 200)
        let flags = help.split(separator: "\n").compactMap { line -> String? in
            let words = line.split { " /".contains($0) }
            return words.first?.hasPrefix("--") == true ? String(words[0].dropFirst(2)) : nil
        }
        #expect(flags.filter { $0 != "config" } == SettingTable.options)
        for setting in SettingTable.all where setting.topicConfig == nil {
            #expect(help.contains(setting.documentation.prefix(40)), "\(setting.name)")
        }
    }

    @Test func everyFlagArrives() throws {
        var arguments: [String] = []
        var expected: [String] = []
        for setting in SettingTable.all {
            let value = Self.another(setting)
            let text = setting.topicConfig.map { "\($0)=\(value)" } ?? value
            let isTruth = setting.kind == .boolean
            arguments += isTruth ? ["--" + (value == "true" ? "" : "no-") + setting.option] : [setting.flag, text]
            expected.append("\(setting.option) \(text)")
        }
        #expect(try ServeOptions.parse(arguments).given.map { "\($0.option) \($0.text)" } == expected)
    }

    @Test func everyValueLandsInAFieldOfItsOwn() {
        for setting in SettingTable.all {
            var settings = ServeSettings()
            let value = Self.another(setting)
            setting.write(&settings, value)
            for other in SettingTable.all {
                #expect(other.read(settings) == (other.name == setting.name ? value : other.defaultValue))
            }
        }
    }

    @Test func theLogTakesWhatTheTableTakes() throws {
        for setting in SettingTable.all {
            guard case .integer(let range) = setting.kind else { continue }
            for bound in [range.lowerBound, range.upperBound] {
                var settings = ServeSettings()
                setting.write(&settings, "\(bound)")
                #expect(setting.read(settings) == "\(bound)", "\(setting.name)")
                #expect(throws: Never.self) { try settings.log.validate() }
            }
            #expect(setting.defaultValue.map(setting.kind.takes) ?? true, "\(setting.name)")
        }
    }

    @Test func namesAreNamedOnce() {
        #expect(Set(SettingTable.all.map(\.name)).count == SettingTable.all.count)
        let brokerConfigs = SettingTable.all.compactMap(\.broker?.name)
        #expect(Set(brokerConfigs).count == brokerConfigs.count)
        #expect(SettingTable.named("kafka-listen")?.variable == "MILLRACE_KAFKA_LISTEN")
        for setting in SettingTable.all { #expect(setting.documentation.hasSuffix("."), "\(setting.name)") }
    }

    @Test(arguments: [
        ("kafka-listn", "kafka-listen"), ("Data", "data"), ("listen-kafka", nil), ("max-conections", "max-connections"),
        ("", nil), ("x", nil), (String(repeating: "x", count: 100_000), nil), ("stop-timeuot", "stop-timeout"),
    ])
    func theNearestNameIsFound(text: String, name: String?) {
        #expect(NearestName.of(text, among: SettingTable.options) == name)
    }

    @Test func distances() {
        let cases: [(String, String, Int)] = [
            ("", "", 0), ("abc", "", 3), ("", "ab", 2), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3),
        ]
        for (one, other, distance) in cases {
            #expect(NearestName.distance(Array(one.utf8), Array(other.utf8)) == distance, "\(one) \(other)")
        }
    }

    /// A value that is not the default.
    private static func another(_ setting: Setting) -> String {
        switch setting.kind {
        case .text: "another"
        case .address: "127.0.0.9:9"
        case .boolean: setting.defaultValue == "true" ? "false" : "true"
        case .integer(let range): setting.defaultValue == "\(range.upperBound)" ? "1" : "\(range.upperBound)"
        case .choice(let words): words.first { $0 != setting.defaultValue } ?? ""
        case .selectors: #"{app="another"}"#
        }
    }
}
