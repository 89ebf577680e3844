/// Kafka's rules for topic names. They also make every name a safe directory name.
public enum TopicName {
    /// Where groups and their offsets are stored.
    public static let consumerOffsets = "__consumer_offsets"

    /// Whether it is a topic of the server's own: clients may read it, not produce to it, change it or delete it.
    public static func isInternal(_ name: String) -> Bool { name == consumerOffsets }

    /// So that `<name>-<partition>` fits into the 255 bytes of a file name.
    package static let maximumBytes = 249

    /// Refuses what clients may not change.
    static func checkChangeable(_ name: String) throws(LogError) {
        guard isInternal(name) else { return }
        throw LogError(.invalidTopicName, "\(name) is the server's own: it cannot be changed")
    }

    static func check(_ name: String) throws(LogError) {
        guard !name.isEmpty else { throw LogError(.invalidTopicName, "a topic's name is not empty") }
        guard name.utf8.count <= maximumBytes else {
            throw LogError(
                .invalidTopicName, "a topic's name has at most \(maximumBytes) bytes, not \(name.utf8.count)")
        }
        guard name != ".", name != ".." else { throw LogError(.invalidTopicName, "a topic's name is not \"\(name)\"") }
        guard name.utf8.allSatisfy(isAllowed) else {
            throw LogError(
                .invalidTopicName, "a topic's name has only ASCII letters, digits, '.', '_' and '-'")
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
