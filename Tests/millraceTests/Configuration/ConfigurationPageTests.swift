import Machine
import MillraceTesting
import Testing

@testable import millrace

/// docs/configuration.md holds the table as it is. With a file `Tests/millraceTests/Configuration/rewrite` the test
/// writes it: then delete that file and review the difference.
@Suite struct ConfigurationPageTests {
    private static let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/")
    private static let page = folder + "/../../../docs/configuration.md"
    private static let (begin, end) = ("<!-- settings, from SettingTable.swift -->\n", "<!-- end -->\n")

    @Test func thePageIsTheTable() throws {
        let files = Machine.posix().files
        let text = try files.open(Self.page, .read).text()
        let parts = text.split(separator: Self.begin, maxSplits: 1, omittingEmptySubsequences: false)
        let head = String(try #require(parts.first))
        let tail = String(
            try #require(parts.last?.split(separator: Self.end, maxSplits: 1, omittingEmptySubsequences: false).last))
        let expected = head + Self.begin + Self.tables + Self.end + tail
        if try files.information(at: Self.folder + "/rewrite") != nil {
            let file = try files.open(Self.page, .replace)
            try file.write(expected, at: 0)
        }
        #expect(text == expected, "docs/configuration.md is not SettingTable.all: see this test's comment")
    }

    private static var tables: String {
        Setting.Section.allCases.map { section in
            let rows = SettingTable.all.filter { $0.section == section }.map(row).joined()
            let first = section == .topicDefaults ? "below `topic-defaults:`" : "setting"
            return """

                ### \(section.rawValue)

                | \(first) | default | takes | Kafka's name | what it does |
                |---|---|---|---|---|
                \(rows)
                """
        }.joined() + "\n"
    }

    private static func row(_ setting: Setting) -> String {
        let broker = setting.broker.map { "`\($0.name)`\($0.isDynamic ? ", dynamic" : "")" } ?? ""
        return "| `\(setting.topicConfig ?? setting.name)` | \(setting.defaultText) | \(takes(setting)) | \(broker) | "
            + setting.documentation.replacing("|", with: "\\|") + " |\n"
    }

    private static func takes(_ setting: Setting) -> String {
        switch setting.kind {
        case .text: "text"
        case .selectors: "selectors"
        case .address: "host:port"
        case .boolean: "true, false"
        case .choice(let words): words.joined(separator: ", ")
        case .integer(let range):
            (setting.unit.map { $0 + ", " } ?? "") + "\(range.lowerBound) to "
                + (range.upperBound == .max ? "2^63-1" : "\(range.upperBound)")
        }
    }
}
