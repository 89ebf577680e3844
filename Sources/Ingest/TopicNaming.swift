/// How databases and tenants become topics, and back. Kafka's alphabet is letters, digits, `.`, `_` and `-`; every
/// other byte, and the dot, is written as a dot and two hexadecimal digits, so that the way back is unique:
/// the database `my db` is the topic `metrics.my.20db`.
public enum TopicNaming {
    /// What the topics of databases begin with.
    public static let metricsPrefix = "metrics."
    /// What the topics of tenants begin with.
    public static let logsPrefix = "logs."
    /// The longest name of a database, in bytes: escaped, it still fits into Kafka's 249 characters.
    public static let maximumNameBytes = 80

    /// The topic of a database; nil if the name is empty or too long.
    public static func topic(ofDatabase name: [UInt8]) -> String? {
        guard !name.isEmpty, name.count <= maximumNameBytes else { return nil }
        return metricsPrefix + String(decoding: escaped(name), as: UTF8.self)
    }

    /// The database that a topic with `millrace.view=series` holds: what stands behind `metrics.`, unescaped; the
    /// whole name of any other topic.
    public static func database(ofTopic topic: String) -> [UInt8] {
        let name = Array(topic.utf8)
        guard topic.hasPrefix(metricsPrefix), let database = unescaped(name[metricsPrefix.utf8.count...]) else {
            return name
        }
        return database
    }

    /// Kafka's limit, less `rejected.`, which a topic for what the view refuses has in front.
    private static let maximumTopicBytes = 240

    /// The topic of a tenant's lines; nil if the name is empty, or too long when it is escaped.
    public static func topic(ofTenant name: String) -> String? {
        let topic = logsPrefix + String(decoding: escaped(Array(name.utf8)), as: UTF8.self)
        return name.isEmpty || topic.utf8.count > maximumTopicBytes ? nil : topic
    }

    /// The tenant whose lines a topic with `millrace.view=search` holds: what stands behind `logs.`, unescaped; the
    /// whole name of any other topic.
    public static func tenant(ofTopic topic: String) -> String {
        guard topic.hasPrefix(logsPrefix), let tenant = unescaped(Array(topic.utf8)[logsPrefix.utf8.count...]) else {
            return topic
        }
        return String(decoding: tenant, as: UTF8.self)
    }

    private static func escaped(_ name: [UInt8]) -> [UInt8] {
        name.flatMap { byte in isPlain(byte) ? [byte] : [UInt8(ascii: "."), digit(byte >> 4), digit(byte & 15)] }
    }

    /// Nil if it is not what `escaped` makes.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var name: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: ".") else {
                name.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(value), let low = rest.popFirst().flatMap(value) else {
                return nil
            }
            name.append(high << 4 | low)
        }
        return name.isEmpty || escaped(name) != Array(text) ? nil : name
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
