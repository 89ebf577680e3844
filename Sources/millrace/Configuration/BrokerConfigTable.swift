import Log

/// The settings as Kafka's broker configs: with Kafka's names where one means the same, else with `millrace.` before
/// it. Pure: what a configuration comes to, and what a change would make of it.
enum BrokerConfigTable {
    /// What only a running server knows.
    struct Facts: Sendable {
        let nodeID: Int32
        /// The data directory, from the root.
        let directory: String
        /// The bytes of the disk that are kept free; nil before the first look.
        let diskReserveBytes: Int64?
    }

    /// The setting behind a broker config.
    static func setting(_ name: String) -> Setting? { byName[name] }

    private static let byName = Dictionary(
        uniqueKeysWithValues: SettingTable.all.compactMap { setting in setting.broker.map { ($0.name, setting) } })

    /// The names of those that can be changed while the broker runs.
    static let dynamicNames = SettingTable.all.compactMap { $0.broker.flatMap { $0.isDynamic ? $0.name : nil } }

    /// Every config, sorted by name.
    static func describe(_ configuration: Configuration, _ facts: Facts) -> [ConfigDescription] {
        let settings = SettingTable.all.compactMap { describe($0, configuration, facts) }
        return (settings + identity(facts) + fixedTopicConfigs(configuration)).sorted { $0.name < $1.name }
    }

    /// What was changed for every broker, sorted by name.
    static func describe(changed configs: [String: String]) -> [ConfigDescription] {
        configs.sorted { $0.key < $1.key }.compactMap { name, value in
            guard let setting = setting(name) else { return nil }
            return ConfigDescription(
                name: name, kind: kind(setting), documentation: setting.documentation, isReadOnly: false,
                settings: [.init(name: name, value: value, source: .everyBroker)])
        }
    }

    private static func describe(
        _ setting: Setting, _ configuration: Configuration, _ facts: Facts
    ) -> ConfigDescription? {
        guard let broker = setting.broker else { return nil }
        var places = places(setting, configuration)
        if let value = setting.defaultValue {
            places.append(.init(name: broker.name, value: scaled(value, broker), source: .default))
        } else if let bytes = facts.diskReserveBytes, setting.name == "disk-reserve-bytes", places.isEmpty {
            places.append(.init(name: broker.name, value: "\(bytes)", source: .default))
        }
        guard !places.isEmpty else { return nil }
        return ConfigDescription(
            name: broker.name, kind: kind(setting), documentation: setting.documentation,
            isReadOnly: !broker.isDynamic, settings: places)
    }

    /// Where a setting is set, strongest first; of what was given at the start, only what won.
    static func places(_ setting: Setting, _ configuration: Configuration) -> [ConfigDescription.Setting] {
        guard let broker = setting.broker else { return [] }
        var places: [ConfigDescription.Setting] = []
        for given in (configuration.given[setting.name] ?? []).reversed() {
            let source: ConfigDescription.Source =
                switch given.origin {
                case .thisBroker: .thisBroker
                case .everyBroker: .everyBroker
                case .file, .environment, .flag: .broker
                }
            guard places.last?.source != .broker else { break }
            places.append(.init(name: broker.name, value: scaled(given.text, broker), source: source))
        }
        return places
    }

    private static func scaled(_ value: String, _ broker: Setting.BrokerConfig) -> String {
        guard broker.factor != 1, let number = Int64(value) else { return value }
        return "\(number * broker.factor)"
    }

    private static func kind(_ setting: Setting) -> ConfigDescription.Kind {
        if let name = setting.topicConfig {
            return TopicConfigDefinition.all.first { $0.name == name }?.kind ?? .string
        }
        return switch setting.kind {
        case .boolean: .boolean
        case .integer(let range): range.upperBound * (setting.broker?.factor ?? 1) <= Int32.max ? .int : .long
        case .text, .address, .choice, .selectors: .string
        }
    }

    private static func identity(_ facts: Facts) -> [ConfigDescription] {
        [
            readOnly("node.id", .int, "This broker's id.", "\(facts.nodeID)", .default),
            readOnly("broker.id", .int, "This broker's id.", "\(facts.nodeID)", .default),
            readOnly("log.dirs", .string, "The data directory.", facts.directory, .broker),
            readOnly("default.replication.factor", .int, "There is one broker.", "1", .default),
        ]
    }

    /// Topic configs of which there is one value, by the names of their defaults.
    private static func fixedTopicConfigs(_ configuration: Configuration) -> [ConfigDescription] {
        TopicConfigDefinition.all.compactMap { definition in
            guard case .fixed(let value, _) = definition.effect, let name = definition.brokerName else { return nil }
            return readOnly(name, definition.kind, definition.documentation, value, .default)
        }
    }

    private static func readOnly(
        _ name: String, _ kind: ConfigDescription.Kind, _ documentation: String, _ value: String,
        _ source: ConfigDescription.Source
    ) -> ConfigDescription {
        ConfigDescription(
            name: name, kind: kind, documentation: documentation, isReadOnly: true,
            settings: [.init(name: name, value: value, source: source)])
    }
}

/// Changes.
extension BrokerConfigTable {
    /// What is stored after some changes. Names are checked, values are not.
    ///
    /// - Throws: `.invalidConfig`, which names the config.
    static func apply(
        _ changes: [String: ConfigChange], to configs: [String: String]
    ) throws(LogError) -> [String: String] {
        var configs = configs
        for (name, change) in changes.sorted(by: { $0.key < $1.key }) {
            try checkDynamic(name)
            switch change {
            case .set(let value): configs[name] = value
            case .reset: configs[name] = nil
            case .append, .subtract:
                throw LogError(.invalidConfig, "\(name) is no list: nothing can be added to it or taken out")
            }
        }
        return configs
    }

    private static func checkDynamic(_ name: String) throws(LogError) {
        if let setting = setting(name) {
            if setting.broker?.isDynamic == true { return }
            throw LogError(
                .invalidConfig, "\(name) cannot be changed while the broker runs: set \(setting.option) and restart it")
        }
        let facts = Facts(nodeID: 0, directory: "", diskReserveBytes: nil)
        if describe(Configuration([]), facts).contains(where: { $0.name == name }) {
            throw LogError(.invalidConfig, "\(name) cannot be changed: it is what it is")
        }
        let nearest = NearestName.of(name, among: dynamicNames).map { ": did you mean \($0)?" } ?? ""
        throw LogError(.invalidConfig, "unknown broker config \(Mistake.quoted(name))\(nearest)")
    }

    /// What is stored, as values of settings.
    static func given(_ configs: [String: String], _ origin: Configuration.Origin) -> [Configuration.Given] {
        configs.sorted { $0.key < $1.key }.compactMap { name, value in
            guard let setting = setting(name), setting.broker?.isDynamic == true else { return nil }
            return Configuration.Given(name: setting.name, text: value, origin: origin)
        }
    }
}
