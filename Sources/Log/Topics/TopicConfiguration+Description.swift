extension TopicConfiguration {
    /// The value of a config as Kafka writes it; nil for one without effect.
    public func value(of definition: TopicConfigDefinition) -> String? {
        switch definition.name {
        case "flush.ms": "\(flushMilliseconds)"
        case "index.interval.bytes": "\(indexIntervalBytes)"
        case "max.message.bytes": "\(maximumMessageBytes)"
        case "message.timestamp.after.max.ms": "\(timestampAfterMaximumMilliseconds)"
        case "message.timestamp.type": logAppendTime ? "LogAppendTime" : "CreateTime"
        case "millrace.delivery": isDurable ? "durable" : "best-effort"
        case "millrace.retention.disk.percent": "\(retentionDiskPercent)"
        case "millrace.view": view.name
        case "retention.bytes": "\(retentionBytes)"
        case "retention.ms": "\(retentionMilliseconds)"
        case "segment.bytes": "\(segmentBytes)"
        case "segment.ms": "\(segmentMilliseconds)"
        default: if case .fixed(let value, _) = definition.effect { value } else { nil }
        }
    }

    /// The configs of a topic that sets `configs` itself and has these as defaults, sorted by name. One without effect
    /// is there only if the topic sets it.
    ///
    /// - Parameter places: where the defaults are set, by the config's name, strongest first. What is not in it and is not
    ///   the built-in default was set when the broker was started.
    func describe(
        settingOnTopic configs: [String: String], places: [String: [ConfigDescription.Setting]] = [:]
    ) -> [ConfigDescription] {
        let builtIn = TopicConfiguration()
        let viewed = TopicView(named: configs["millrace.view"] ?? "").flatMap(TopicConfiguration.init(defaultsOf:))
        return TopicConfigDefinition.all.compactMap { definition in
            var settings: [ConfigDescription.Setting] = []
            if let value = configs[definition.name] {
                settings.append(.init(name: definition.name, value: value, source: .topic))
            }
            if let set = viewed?.value(of: definition), TopicView.defaulted.contains(definition.name) {
                settings.append(.init(name: "millrace.view", value: set, source: .default))
            }
            let (broker, original) = (value(of: definition), builtIn.value(of: definition))
            let place = definition.brokerName ?? definition.name
            if let set = places[definition.name] {
                settings += set
            } else if let broker, broker != original {
                settings.append(.init(name: place, value: broker, source: .broker))
            }
            if let original { settings.append(.init(name: place, value: original, source: .default)) }
            guard !settings.isEmpty else { return nil }
            return ConfigDescription(
                name: definition.name, kind: definition.kind, documentation: definition.documentation,
                isReadOnly: definition.effect != .served && definition.effect != .none, settings: settings)
        }
    }
}
