extension TopicConfiguration {
    /// Parses configs on top of these. Every name and value is checked.
    ///
    /// - Throws: `.invalidConfig` that names the config.
    public func applying(_ configs: [String: String]) throws(LogError) -> TopicConfiguration {
        var result = self
        if let view = configs["millrace.view"] { try result.set("millrace.view", view) }
        if let defaults = TopicConfiguration(defaultsOf: result.view) { result.takeViewDefaults(of: defaults) }
        for (name, value) in configs.sorted(by: { $0.key < $1.key }) { try result.set(name, value) }
        try result.checkTimes()
        return result
    }

    private func checkTimes() throws(LogError) {
        guard view != .none, logAppendTime != view.usesAppendTime else { return }
        let text =
            view.usesAppendTime
            ? "LogAppendTime: its order is the view's" : "CreateTime: a record's time is its line's"
        throw LogError(
            .invalidConfig,
            "message.timestamp.type of a topic with millrace.view=\(view.name) can only be \(text)")
    }

    private mutating func set(_ name: String, _ value: String) throws(LogError) {
        switch name {
        case "retention.ms": retentionMilliseconds = try Self.number(name, value)
        case "retention.bytes": retentionBytes = try Self.number(name, value)
        case "millrace.retention.disk.percent": retentionDiskPercent = Int32(try Self.number(name, value))
        case "segment.bytes": segmentBytes = try Self.number(name, value)
        case "segment.ms": segmentMilliseconds = try Self.number(name, value)
        case "max.message.bytes": maximumMessageBytes = Int32(try Self.number(name, value))
        case "flush.ms": flushMilliseconds = try Self.number(name, value)
        case "index.interval.bytes": indexIntervalBytes = Int32(try Self.number(name, value))
        case "message.timestamp.after.max.ms":
            timestampAfterMaximumMilliseconds = try Self.number(name, value)
        case "message.timestamp.type":
            guard value == "CreateTime" || value == "LogAppendTime" else {
                throw LogError(.invalidConfig, "\(name) is CreateTime or LogAppendTime, not \"\(value)\"")
            }
            logAppendTime = value == "LogAppendTime"
        case "millrace.delivery":
            guard value == "durable" || value == "best-effort" else {
                throw LogError(.invalidConfig, "\(name) is durable or best-effort, not \"\(value)\"")
            }
            isDurable = value == "durable"
        case "millrace.view": view = try TopicView(parsing: value)
        default: try Self.checkFixed(name, value)
        }
    }

    private static func checkFixed(_ name: String, _ value: String) throws(LogError) {
        guard case .fixed(let only, let why) = try TopicConfigDefinition.named(name).effect else { return }
        guard value == only else {
            throw LogError(.invalidConfig, "\(name) can only be \(only), not \"\(value)\": \(why)")
        }
    }

    private static func number(_ name: String, _ value: String) throws(LogError) -> Int64 {
        guard case .number(let range) = try TopicConfigDefinition.named(name).values else {
            preconditionFailure("\(name) is no number")
        }
        guard let number = Int64(value), range.contains(number) else {
            throw LogError(
                .invalidConfig,
                "\(name) is a number from \(range.lowerBound) to \(range.upperBound), not \"\(value)\"")
        }
        return number
    }
}
