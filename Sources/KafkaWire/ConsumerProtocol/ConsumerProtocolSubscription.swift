import Bytes

/// What a consumer tells its group's leader when it joins: the metadata of a `JoinGroup` protocol and of a described
/// member, if the group's protocol type is "consumer" (Kafka's ConsumerProtocolSubscription.json).
///
/// The bytes come from another client, through a broker that does not look into them: they may be anything.
public struct ConsumerProtocolSubscription: Sendable, Equatable {
    /// The versions that can be encoded; any version from 0 on can be decoded.
    public static var versions: ClosedRange<Int16> { 0...3 }

    /// The topics that the member wants to read.
    public var topics: [String] = []

    /// Whatever the assignor wants to know besides.
    public var userData: [UInt8]?

    /// What the member owns as it joins; for cooperative assignors. Since version 1.
    public var ownedPartitions: [TopicPartitions] = []

    /// The generation in which it owned them; -1 for none. Since version 2.
    public var generationId: Int32 = -1

    /// The rack of the member. Since version 3.
    public var rackId: String?

    /// A subscription with Kafka's defaults.
    public init() {}

    /// Decodes a version and the fields that it has. Never traps, whatever the bytes; throws codes
    /// `.malformedMessage`, `.limitExceeded` and, below version 0, `.unsupportedVersion`.
    ///
    /// Like Kafka's clients it reads a newer version as version 3 and leaves what follows. Beyond them it accepts that
    /// the bytes end where a version's own fields should begin: some clients state version 1 and write version 0.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        let type: StaticString = "ConsumerProtocolSubscription"
        self = try decodeVersioned(type, bytes) { reader, version throws(BytesError) in
            try ConsumerProtocolSubscription(fields: &reader, version: version)
        }
    }

    private init(fields reader: inout ByteReader, version: Int16) throws(BytesError) {
        topics = try reader.array(compact: false, minimumElementBytes: 2) { reader throws(BytesError) in
            try reader.string(compact: false)
        }
        userData = try reader.nullableBytes(compact: false)
        if version >= 1, !reader.isAtEnd { ownedPartitions = try TopicPartitions.array(&reader) }
        if version >= 2, !reader.isAtEnd { generationId = try reader.int32() }
        if version >= 3, !reader.isAtEnd { rackId = try reader.nullableString(compact: false) }
    }

    /// The bytes, with the version in front. Unless they must be in another, version 3: who knows an older one reads
    /// the fields that it knows. A version outside `versions` is a programming error and traps.
    public func encoded(version: Int16 = 3) -> [UInt8] {
        precondition(Self.versions.contains(version), "ConsumerProtocolSubscription: unknown version")
        var writer = ByteWriter()
        writer.write(version)
        writer.writeArray(topics, compact: false) { topic, writer in writer.write(topic, compact: false) }
        writer.write(userData, compact: false)
        if version >= 1 { TopicPartitions.write(ownedPartitions, into: &writer) }
        if version >= 2 { writer.write(generationId) }
        if version >= 3 { writer.write(rackId, compact: false) }
        return writer.array()
    }
}

/// Decodes a version of two bytes and what `fields` reads behind it.
func decodeVersioned<Value>(
    _ type: StaticString, _ bytes: [UInt8],
    _ fields: (inout ByteReader, Int16) throws(BytesError) -> Value
) throws(WireError) -> Value {
    var version: Int16 = 0
    do throws(BytesError) {
        let value: Value? = try bytes.withUnsafeBufferPointer { bytes throws(BytesError) in
            // Safe because the reader does not leave this closure, and nothing that is decoded borrows the bytes.
            var reader = ByteReader(UnsafeRawBufferPointer(bytes))
            version = try reader.int16()
            return version < 0 ? nil : try fields(&reader, version)
        }
        if let value { return value }
    } catch {
        throw .decoding(type, version: version, error)
    }
    throw .version(type, version, ConsumerProtocolSubscription.versions)
}
