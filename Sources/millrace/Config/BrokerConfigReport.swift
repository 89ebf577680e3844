import KafkaClient

/// The configs of a running broker as text.
enum BrokerConfigReport {
    /// A line per config: name, value, where that comes from, whether it can be changed, what it does.
    static func table(_ configs: [BrokerConfig]) -> String {
        var table = Table([
            ("config", .left), ("value", .left), ("source", .left), ("dynamic", .left), ("what it does", .left),
        ])
        for config in configs {
            table.add([
                config.name, config.value ?? "(secret)", config.source.rawValue, config.isReadOnly ? "no" : "yes",
                config.documentation ?? "",
            ])
        }
        return table.text
    }

    /// A JSON object per config and line.
    static func json(_ configs: [BrokerConfig]) -> String {
        var json = JSONText()
        for config in configs {
            json.object { json in
                json.member("name", config.name)
                json.member("value", config.value)
                json.member("source", config.source.rawValue)
                json.key("dynamic")
                json.value(!config.isReadOnly)
                json.member("documentation", config.documentation)
            }
            json.newline()
        }
        return json.text
    }
}
