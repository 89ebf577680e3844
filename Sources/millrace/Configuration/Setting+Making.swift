import Log
import Logging
import ServeKafka

/// How the rows of the table are made: each says where in `ServeSettings` its value lands.
extension Setting {
    /// A field of the settings.
    typealias Field<Value> = any WritableKeyPath<ServeSettings, Value> & Sendable

    /// A row whose value is read and written by closures.
    init(
        _ name: String, _ section: Section, _ kind: SettingKind, unit: String? = nil, defaultNote: String? = nil,
        broker: BrokerConfig? = nil, _ documentation: String, read: @escaping @Sendable (ServeSettings) -> String?,
        write: @escaping @Sendable (inout ServeSettings, String) -> Void
    ) {
        self.init(
            name: name, section: section, kind: kind, unit: unit, documentation: documentation,
            defaultNote: defaultNote, broker: broker, read: read, write: write)
    }

    /// A number. The field holds it times `scale`: 1,000 for seconds in a field of milliseconds.
    static func number<Value: FixedWidthInteger & Sendable>(
        _ name: String, _ section: Section, _ field: Field<Value>, _ range: ClosedRange<Int64>, unit: String? = nil,
        scale: Int64 = 1, broker: BrokerConfig? = nil, _ documentation: String
    ) -> Setting {
        Setting(name, section, .integer(range), unit: unit, broker: broker, documentation) { settings in
            "\(Int64(settings[keyPath: field]) / scale)"
        } write: { settings, text in
            if let number = Int64(text) { settings[keyPath: field] = Value(number * scale) }
        }
    }

    static func truth(
        _ name: String, _ section: Section, _ field: Field<Bool>, broker: BrokerConfig? = nil, _ documentation: String
    ) -> Setting {
        Setting(name, section, .boolean, broker: broker, documentation) { settings in
            "\(settings[keyPath: field])"
        } write: { settings, text in
            settings[keyPath: field] = text == "true"
        }
    }

    static func address(
        _ name: String, _ section: Section, _ field: Field<ListenAddress?>, defaultNote: String? = nil,
        _ documentation: String
    ) -> Setting {
        Setting(name, section, .address, defaultNote: defaultNote, documentation) { settings in
            settings[keyPath: field]?.text
        } write: { settings, text in
            settings[keyPath: field] = ListenAddress(text)
        }
    }

    static func word<Value: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ section: Section, _ field: Field<Value>, broker: BrokerConfig? = nil,
        _ documentation: String
    ) -> Setting where Value.RawValue == String {
        let words = Value.allCases.map(\.rawValue)
        return Setting(name, section, .choice(words), broker: broker, documentation) { settings in
            settings[keyPath: field].rawValue
        } write: { settings, text in
            if let value = Value(rawValue: text) { settings[keyPath: field] = value }
        }
    }

    /// The default of a topic config.
    static func topicDefault(_ config: TopicConfigDefinition) -> Setting {
        let kind: SettingKind =
            switch config.values {
            case .number(let range): .integer(range)
            case .words(let words): .choice(words)
            case .any: .text
            }
        let broker = BrokerConfig(name: config.brokerName ?? config.name, isDynamic: true, factor: 1)
        return Setting(
            "\(topicDefaults).\(config.name)", .topicDefaults, kind, unit: config.unit, broker: broker,
            config.documentation
        ) { settings in
            settings.log.topicDefaults.value(of: config)
        } write: { settings, text in
            // Safe to ignore: `kind` took the text.
            if let changed = try? settings.log.topicDefaults.applying([config.name: text]) {
                settings.log.topicDefaults = changed
            }
        }
    }
}

extension Setting.BrokerConfig {
    /// A config that is read-only for clients.
    static func fixed(_ name: String, factor: Int64 = 1) -> Setting.BrokerConfig {
        Setting.BrokerConfig(name: name, isDynamic: false, factor: factor)
    }

    /// A config that clients may change while the broker runs.
    static func dynamic(_ name: String) -> Setting.BrokerConfig {
        Setting.BrokerConfig(name: name, isDynamic: true, factor: 1)
    }
}
