import Bytes

/// Some partitions of a topic, in what consumers tell each other. Nothing says that a topic occurs only once, or that
/// a partition exists.
public struct TopicPartitions: Sendable, Hashable {
    /// The topic's name.
    public var topic: String = ""

    /// The partitions.
    public var partitions: [Int32] = []

    /// No topic.
    public init() {}

    /// Assembles a value.
    public init(topic: String, partitions: [Int32]) {
        self.topic = topic
        self.partitions = partitions
    }

    static func array(_ reader: inout ByteReader) throws(BytesError) -> [TopicPartitions] {
        // A topic takes at least the lengths of its name and of its partitions.
        try reader.array(compact: false, minimumElementBytes: 6) { reader throws(BytesError) in
            var value = TopicPartitions()
            value.topic = try reader.string(compact: false)
            value.partitions = try reader.array(compact: false, minimumElementBytes: 4) { reader throws(BytesError) in
                try reader.int32()
            }
            return value
        }
    }

    static func write(_ values: [TopicPartitions], into writer: inout ByteWriter) {
        writer.writeArray(values, compact: false) { value, writer in
            writer.write(value.topic, compact: false)
            writer.writeArray(value.partitions, compact: false) { partition, writer in writer.write(partition) }
        }
    }
}
