import Yams

/// The configuration file: YAML, one mapping, a key per setting, topic defaults in a mapping of their own.
///
/// A function of its bytes: never a crash, always values, mistakes, or both.
struct ConfigurationFile {
    /// The largest file, in bytes: fifty times one that sets everything, with every comment.
    static let maximumBytes = 1 << 20

    private(set) var values: [Configuration.Given] = []
    private(set) var mistakes: [Mistake] = []
    private let name: String

    /// Reads `bytes`, which `name` stands for in messages.
    init(_ bytes: [UInt8], name: String) {
        self.name = name
        do throws(Mistake) {
            let text = try ConfigurationText.decode(bytes, name: name)
            try read(text)
        } catch {
            mistakes.append(error)
        }
    }

    private mutating func read(_ text: String) throws(Mistake) {
        let root: Node?
        do {
            root = try compose(yaml: text, .basic, .default, .utf8)
        } catch {
            return mistakes += ConfigurationText.mistakes(of: error, in: text, name: name)
        }
        // A file of comments sets nothing.
        guard let root else { return }
        guard let mapping = root.mapping else {
            let what = "\(Self.what(root)) stands where settings are expected: write a line `NAME: VALUE` for each"
            return mistakes.append(Mistake(place(root), what))
        }
        for (key, value) in mapping { readSetting(key, value) }
    }

    private mutating func readSetting(_ key: Node, _ value: Node) {
        guard let name = key.scalar?.string else {
            return mistakes.append(Mistake(place(key), "\(Self.what(key)) is no setting's name"))
        }
        if name == Setting.topicDefaults { return readTopicDefaults(value) }
        guard let setting = SettingTable.named(name), setting.topicConfig == nil else {
            return mistakes.append(
                unknown("key", name, key, among: SettingTable.options, "`millrace config` lists all"))
        }
        read(setting, value)
    }

    private mutating func readTopicDefaults(_ value: Node) {
        if Self.isNothing(value) { return }
        guard let mapping = value.mapping else {
            return mistakes.append(
                Mistake(
                    place(value),
                    """
                    \(Setting.topicDefaults) is \(Self.what(value)); it must be a mapping of topic configs, such as \
                    {retention.ms: 86400000}
                    """))
        }
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                mistakes.append(Mistake(place(key), "\(Self.what(key)) is no topic config's name"))
                continue
            }
            if let setting = SettingTable.named("\(Setting.topicDefaults).\(name)") {
                read(setting, value)
            } else {
                mistakes.append(
                    unknown("topic config", name, key, among: SettingTable.topicConfigs, "`millrace config` lists all"))
            }
        }
    }

    private mutating func read(_ setting: Setting, _ value: Node) {
        let expectation = setting.kind.expectation
        guard let scalar = value.scalar else {
            return mistakes.append(
                Mistake(place(value), "\(setting.name) is \(Self.what(value)); it must be \(expectation)"))
        }
        guard !Self.isNothing(value) else {
            return mistakes.append(
                Mistake(
                    place(value), "\(setting.name) has no value; it must be \(expectation), or the line has to go"))
        }
        values.append(Configuration.Given(name: setting.name, text: scalar.string, origin: .file(place(value))))
    }

    private func unknown(_ what: String, _ key: String, _ node: Node, among names: [String], _ else: String) -> Mistake
    {
        let nearest = NearestName.of(key, among: names)
        let advice = nearest.map { "did you mean \($0)?" } ?? `else`
        return Mistake(place(node), "unknown \(what) \(Mistake.quoted(key)): \(advice)")
    }

    private func place(_ node: Node) -> FilePlace {
        FilePlace(file: name, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
    }

    /// Nothing, `~` or `null`, without quotes.
    private static func isNothing(_ node: Node) -> Bool {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private static func what(_ node: Node) -> String {
        switch node {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .scalar(let scalar): Mistake.quoted(scalar.string)
        case .alias: "an alias"
        }
    }
}
