/// What to do with a config.
public enum ConfigChange: Sendable, Equatable {
    /// Set it.
    case set(String)
    /// Return it to its default.
    case reset
    /// Add values, with commas between them, to a list. Those that it has already are not added again.
    case append(String)
    /// Take values, with commas between them, out of a list.
    case subtract(String)

    /// What a topic sets itself after some changes. Names are checked, values are not.
    ///
    /// - Throws: `.invalidConfig` that names the config.
    static func apply(
        _ changes: [String: ConfigChange], to configs: [String: String]
    ) throws(LogError) -> [String: String] {
        var configs = configs
        for (name, change) in changes.sorted(by: { $0.key < $1.key }) {
            let definition = try TopicConfigDefinition.named(name)
            switch change {
            case .set(let value): configs[name] = value
            case .reset: configs[name] = nil
            case .append(let value):
                let current = try list(definition, configs)
                configs[name] = join(current + split(value).filter { !current.contains($0) })
            case .subtract(let value):
                let gone = split(value)
                configs[name] = join(try list(definition, configs).filter { !gone.contains($0) })
            }
        }
        return configs
    }

    private static func list(
        _ definition: TopicConfigDefinition, _ configs: [String: String]
    ) throws(LogError) -> [Substring] {
        guard definition.kind == .list else {
            throw LogError(.invalidConfig, "\(definition.name) is no list: nothing can be added to it or taken out")
        }
        if let value = configs[definition.name] { return split(value) }
        if case .fixed(let value, _) = definition.effect { return split(value) }
        return []
    }

    private static func split(_ value: String) -> [Substring] {
        value.split(separator: ",").map { part in
            let start = part.drop { $0 == " " }
            guard let last = start.lastIndex(where: { $0 != " " }) else { return start }
            return start[...last]
        }
    }

    private static func join(_ values: [Substring]) -> String { values.joined(separator: ",") }
}
