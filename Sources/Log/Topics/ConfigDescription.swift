/// A config as it stands, described to whoever administers it.
public struct ConfigDescription: Sendable, Equatable {
    /// What kind of value it has.
    public enum Kind: Sendable, Equatable {
        case boolean
        case string
        /// 32 bits.
        case int
        /// 64 bits.
        case long
        case double
        /// Values with commas between them.
        case list
    }

    /// Where a value comes from.
    public enum Source: Sendable, Equatable {
        /// Set on the topic.
        case topic
        /// Changed for this broker while it ran.
        case thisBroker
        /// Changed for every broker while they ran.
        case everyBroker
        /// Set for the whole broker when it was started.
        case broker
        /// Nobody set it.
        case `default`
    }

    /// A value at one of the places that it may come from.
    public struct Setting: Sendable, Equatable {
        /// What the config is called there.
        public let name: String
        /// Its value there.
        public let value: String
        /// The place.
        public let source: Source

        /// Assembles a setting.
        public init(name: String, value: String, source: Source) {
            self.name = name
            self.value = value
            self.source = source
        }
    }

    /// The name.
    public let name: String
    /// What kind of value it has.
    public let kind: Kind
    /// What it does, in a sentence or two.
    public let documentation: String
    /// Whether it cannot be changed while the broker runs.
    public let isReadOnly: Bool
    /// Where it is set, the place in force first; never empty.
    public let settings: [Setting]

    /// The value in force.
    public var value: String { settings[0].value }
    /// Where the value in force comes from.
    public var source: Source { settings[0].source }

    /// Assembles a description. `settings` must not be empty.
    public init(name: String, kind: Kind, documentation: String, isReadOnly: Bool, settings: [Setting]) {
        precondition(!settings.isEmpty, "a config has a value somewhere")
        self.name = name
        self.kind = kind
        self.documentation = documentation
        self.isReadOnly = isReadOnly
        self.settings = settings
    }
}
