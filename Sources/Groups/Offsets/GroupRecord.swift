import Bytes
import KafkaWire
import Log

/// A record of `__consumer_offsets`, as Kafka lays it out: docs/formats/groups.md.
///
///     key, offset   | version i16: 0, 1 | group | topic | partition i32 |
///     key, group    | version i16: 2 | group |
enum GroupRecord: Sendable, Equatable {
    /// An offset, or that there is none (a tombstone).
    case offset(group: String, GroupTopicPartition, CommittedOffset?)
    /// A group with the time at which it came into its state, or that there is none (a tombstone).
    case group(String, GroupSnapshot?, stateMilliseconds: Int64)
    /// Something of a newer Kafka that is not understood, by the version of its key; it is passed over.
    case unknown(keyVersion: Int16)

    private static let offsetKeyVersion: Int16 = 1
    private static let groupKeyVersion: Int16 = 2

    static func offsetKey(_ group: String, _ place: GroupTopicPartition) -> [UInt8] {
        var writer = ByteWriter(capacity: 16 + group.utf8.count + place.topic.utf8.count)
        writer.write(offsetKeyVersion)
        writer.write(group, compact: false)
        writer.write(place.topic, compact: false)
        writer.write(place.partition)
        return writer.array()
    }

    static func groupKey(_ group: String) -> [UInt8] {
        var writer = ByteWriter(capacity: 8 + group.utf8.count)
        writer.write(groupKeyVersion)
        writer.write(group, compact: false)
        return writer.array()
    }

    /// Version 3; version 1, the only one that can say it, if the offset has a time of its own to expire.
    static func offsetValue(_ value: CommittedOffset) -> [UInt8] {
        var writer = ByteWriter(capacity: 32 + value.metadata.utf8.count)
        if let expires = value.expireMilliseconds {
            writer.write(Int16(1))
            writer.write(value.offset)
            writer.write(value.metadata, compact: false)
            writer.write(value.commitMilliseconds)
            writer.write(expires)
        } else {
            writer.write(Int16(3))
            writer.write(value.offset)
            writer.write(value.leaderEpoch)
            writer.write(value.metadata, compact: false)
            writer.write(value.commitMilliseconds)
        }
        return writer.array()
    }

    /// Version 3.
    static func groupValue(_ snapshot: GroupSnapshot, stateMilliseconds: Int64) -> [UInt8] {
        var writer = ByteWriter(capacity: snapshot.sizeBytes)
        writer.write(Int16(3))
        writer.write(snapshot.protocolType ?? "", compact: false)
        writer.write(snapshot.generation)
        writer.write(snapshot.protocolName, compact: false)
        writer.write(snapshot.leaderID, compact: false)
        writer.write(stateMilliseconds)
        writer.write(Int32(snapshot.members.count))
        for member in snapshot.members {
            writer.write(member.identity.memberID, compact: false)
            writer.write(member.identity.instanceID, compact: false)
            writer.write(member.client.id, compact: false)
            writer.write(member.client.host, compact: false)
            writer.write(member.rebalanceMilliseconds)
            writer.write(member.sessionMilliseconds)
            writer.write(member.subscription, compact: false)
            writer.write(member.assignment, compact: false)
        }
        return writer.array()
    }

    /// Reads any version that Kafka has written.
    ///
    /// - Throws: if the bytes are no such record.
    init(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?) throws(BytesError) {
        var reader = ByteReader(key)
        let version = try reader.int16()
        switch version {
        case 0, 1:
            let group = try reader.string(compact: false)
            let topic = try reader.string(compact: false)
            let place = GroupTopicPartition(topic: topic, partition: try reader.int32())
            self = .offset(group: group, place, try value.map { value throws(BytesError) in try Self.offset(value) })
        case 2:
            let group = try reader.string(compact: false)
            guard let value else {
                self = .group(group, nil, stateMilliseconds: -1)
                return
            }
            let (snapshot, time) = try Self.snapshot(value)
            self = .group(group, snapshot, stateMilliseconds: time)
        default: self = .unknown(keyVersion: version)
        }
    }

    private static func offset(_ bytes: UnsafeRawBufferPointer) throws(BytesError) -> CommittedOffset {
        var reader = ByteReader(bytes)
        let version = try reader.int16()
        guard (0...4).contains(version) else { throw unknownVersion(version) }
        let offset = try reader.int64()
        let leaderEpoch = version >= 3 ? try reader.int32() : -1
        let metadata = try reader.string(compact: version >= 4)
        let committed = try reader.int64()
        let expires = version == 1 ? try reader.int64() : -1
        if version >= 4 { try reader.skipTaggedFields() }
        return CommittedOffset(
            offset: offset, leaderEpoch: leaderEpoch, metadata: metadata, commitMilliseconds: committed,
            expireMilliseconds: expires < 0 ? nil : expires)
    }

    private static func snapshot(_ bytes: UnsafeRawBufferPointer) throws(BytesError) -> (GroupSnapshot, Int64) {
        var reader = ByteReader(bytes)
        let version = try reader.int16()
        guard (0...4).contains(version) else { throw unknownVersion(version) }
        let compact = version >= 4
        let type = try reader.string(compact: compact)
        var snapshot = GroupSnapshot(
            protocolType: type.isEmpty ? nil : type, generation: try reader.int32(),
            protocolName: try reader.nullableString(compact: compact),
            leaderID: try reader.nullableString(compact: compact), members: [])
        let time = version >= 2 ? try reader.int64() : -1
        for _ in 0..<(try reader.arrayCount(compact: compact, minimumElementBytes: 12)) {
            snapshot.members.append(try member(&reader, version))
        }
        if compact { try reader.skipTaggedFields() }
        return (snapshot, time)
    }

    private static func member(
        _ reader: inout ByteReader, _ version: Int16
    ) throws(BytesError) -> GroupSnapshot.Member {
        let compact = version >= 4
        let memberID = try reader.string(compact: compact)
        let instanceID = version >= 3 ? try reader.nullableString(compact: compact) : nil
        let clientID = try reader.string(compact: compact)
        let host = try reader.string(compact: compact)
        let rebalance = version >= 1 ? try reader.int32() : -1
        let session = try reader.int32()
        let member = GroupSnapshot.Member(
            identity: GroupMemberIdentity(memberID: memberID, instanceID: instanceID),
            client: GroupClient(id: clientID, host: host),
            rebalanceMilliseconds: rebalance < 0 ? session : rebalance, sessionMilliseconds: session,
            subscription: try reader.bytes(compact: compact), assignment: try reader.bytes(compact: compact))
        if compact { try reader.skipTaggedFields() }
        return member
    }

    private static func unknownVersion(_ version: Int16) -> BytesError {
        BytesError(code: .malformed, message: "a value of version \(version), known are 0 to 4")
    }
}
