import Bytes

/// What the leader of a group of consumers gives to a member: an assignment of `SyncGroup` and of a described member,
/// if the group's protocol type is "consumer" (Kafka's ConsumerProtocolAssignment.json).
///
/// The bytes come from another client, through a broker that does not look into them: they may be anything. A member
/// that the leader did not name has no bytes at all, which is not an assignment: look before decoding.
public struct ConsumerProtocolAssignment: Sendable, Equatable {
    /// The versions that can be encoded; any version from 0 on can be decoded. All have the same fields.
    public static var versions: ClosedRange<Int16> { 0...3 }

    /// What the member is to read.
    public var assignedPartitions: [TopicPartitions] = []

    /// Whatever the assignor wants to tell besides.
    public var userData: [UInt8]?

    /// An assignment with Kafka's defaults.
    public init() {}

    /// Decodes a version and the fields that it has. Never traps, whatever the bytes; throws codes
    /// `.malformedMessage`, `.limitExceeded` and, below version 0, `.unsupportedVersion`.
    ///
    /// Like Kafka's clients it reads a newer version as version 3 and leaves what follows.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        let type: StaticString = "ConsumerProtocolAssignment"
        self = try decodeVersioned(type, bytes) { reader, _ throws(BytesError) in
            try ConsumerProtocolAssignment(fields: &reader)
        }
    }

    private init(fields reader: inout ByteReader) throws(BytesError) {
        assignedPartitions = try TopicPartitions.array(&reader)
        userData = try reader.nullableBytes(compact: false)
    }

    /// The bytes, with the version in front. A version outside `versions` is a programming error and traps.
    public func encoded(version: Int16 = 3) -> [UInt8] {
        precondition(Self.versions.contains(version), "ConsumerProtocolAssignment: unknown version")
        var writer = ByteWriter()
        writer.write(version)
        TopicPartitions.write(assignedPartitions, into: &writer)
        writer.write(userData, compact: false)
        return writer.array()
    }
}
