import Bytes
import MillraceTesting
import Testing

@testable import Groups

/// The records of `__consumer_offsets`, byte for byte (docs/formats/groups.md).
@Suite struct GroupRecordTests {
    private let place = GroupTopicPartition(topic: "orders", partition: 7)

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter { $0 != " " }.map { UInt8($0.hexDigitValue ?? 0) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private func parse(_ key: [UInt8], _ value: [UInt8]?) throws -> GroupRecord {
        try key.withUnsafeBytes { key in
            guard let value else { return try GroupRecord(key: key, value: nil) }
            return try value.withUnsafeBytes { try GroupRecord(key: key, value: $0) }
        }
    }

    private static let snapshot = GroupSnapshot(
        protocolType: "consumer", generation: 3, protocolName: "range", leaderID: "a-1",
        members: [
            GroupSnapshot.Member(
                identity: GroupMemberIdentity(memberID: "a-1", instanceID: "i"),
                client: GroupClient(id: "a", host: "/h"), rebalanceMilliseconds: 60_000, sessionMilliseconds: 10_000,
                subscription: [1, 2], assignment: [3]),
            GroupSnapshot.Member(
                identity: GroupMemberIdentity(memberID: "b-2"), client: GroupClient(id: "b", host: "/h"),
                rebalanceMilliseconds: 1, sessionMilliseconds: 2, subscription: [], assignment: []),
        ])

    @Test func goldenBytes() throws {
        let offset = CommittedOffset(offset: 42, leaderEpoch: 5, metadata: "m", commitMilliseconds: 1_700_000_000_000)
        let offsetKey = bytes("0001 0001 67 0006 6f7264657273 00000007")
        let offsetValue = bytes("0003 000000000000002a 00000005 0001 6d 0000018bcfe56800")
        #expect(hex(GroupRecord.offsetKey("g", place)) == hex(offsetKey))
        #expect(hex(GroupRecord.offsetValue(offset)) == hex(offsetValue))
        #expect(try parse(offsetKey, offsetValue) == .offset(group: "g", place, offset))
        #expect(try parse(offsetKey, nil) == .offset(group: "g", place, nil))

        let groupKey = bytes("0002 0001 67")
        let groupValue = bytes(
            """
            0003 0008 636f6e73756d6572 00000003 0005 72616e6765 0003 612d31 0000018bcfe56800 00000002 \
            0003 612d31 0001 69 0001 61 0002 2f68 0000ea60 00002710 00000002 0102 00000001 03 \
            0003 622d32 ffff 0001 62 0002 2f68 00000001 00000002 00000000 00000000
            """)
        #expect(hex(GroupRecord.groupKey("g")) == hex(groupKey))
        let written = GroupRecord.groupValue(Self.snapshot, stateMilliseconds: 1_700_000_000_000)
        #expect(hex(written) == hex(groupValue))
        #expect(
            try parse(groupKey, groupValue)
                == .group("g", Self.snapshot, stateMilliseconds: 1_700_000_000_000))
        #expect(try parse(groupKey, nil) == .group("g", nil, stateMilliseconds: -1))
    }

    @Test func whatOtherVersionsOfKafkaWrote() throws {
        let key = bytes("0000 0001 67 0001 74 00000000")
        let place = GroupTopicPartition(topic: "t", partition: 0)
        func offset(_ value: String) throws -> CommittedOffset? {
            guard case .offset("g", place, let offset) = try parse(key, bytes(value)) else { return nil }
            return offset
        }
        let plain = CommittedOffset(offset: 9, leaderEpoch: -1, metadata: "", commitMilliseconds: 5)
        var expiring = plain
        expiring.expireMilliseconds = 6
        var epoch = plain
        epoch.leaderEpoch = 1
        #expect(try offset("0000 0000000000000009 0000 0000000000000005") == plain)
        #expect(try offset("0001 0000000000000009 0000 0000000000000005 0000000000000006") == expiring)
        #expect(try offset("0001 0000000000000009 0000 0000000000000005 ffffffffffffffff") == plain)
        #expect(try offset("0002 0000000000000009 0000 0000000000000005") == plain)
        #expect(try offset("0004 0000000000000009 00000001 01 0000000000000005 01 00 02 abcd") == epoch)
        #expect(try offset("0003 0000000000000009 00000001 0000 0000000000000005") == epoch)
        expiring.leaderEpoch = -1
        #expect(try parse(key, GroupRecord.offsetValue(expiring)) == .offset(group: "g", place, expiring))
        let old = bytes("0000 0000 00000001 ffff ffff 00000001 0001 61 0001 62 0000 00000009 00000000 00000000")
        guard case .group("g", let snapshot?, -1) = try parse(bytes("0002 0001 67"), old) else {
            Issue.record("no group")
            return
        }
        #expect(snapshot.protocolType == nil && snapshot.members[0].rebalanceMilliseconds == 9)
        let new = bytes("0004 01 00000001 00 00 0000000000000007 02 02 61 00 02 62 01 00000001 00000009 01 01 00 00")
        guard case .group("g", let flexible?, 7) = try parse(bytes("0002 0001 67"), new) else {
            Issue.record("no group of version 4")
            return
        }
        #expect(flexible.members.map(\.identity.memberID) == ["a"])
        #expect(try parse(bytes("0003 0001 67"), nil) == .unknown(keyVersion: 3))
    }

    @Test func garbageThrows() throws {
        let key = GroupRecord.groupKey("g")
        let value = GroupRecord.groupValue(Self.snapshot, stateMilliseconds: 1)
        for end in 0..<value.count {
            #expect(throws: (any Error).self) { try parse(key, Array(value[..<end])) }
        }
        for end in 0..<key.count { #expect(throws: (any Error).self) { try parse(Array(key[..<end]), value) } }
        #expect(throws: (any Error).self) { try parse(key, bytes("0009") + value.dropFirst(2)) }
        #expect(throws: (any Error).self) {
            try parse(key, bytes("0003 0000 00000000 ffff ffff 00000000 00000000 7fffffff"))
        }
    }

    /// As Java's `Math.abs("…".hashCode()) % count`; the hashes are Java's.
    @Test func groupsStandWhereKafkaPutsThem() {
        #expect(GroupPlacement.partition(of: "", count: 50) == 0)
        #expect(GroupPlacement.partition(of: "hello", count: 1 << 30) == 99_162_322)
        #expect(GroupPlacement.partition(of: "console-consumer-12345", count: 50) < 50)
        #expect(GroupPlacement.partition(of: "polygenelubricants", count: 50) == 0, "its hash is the least integer")
        let surrogates = (233 * 31 + 0xD83D) * 31 + 0xDE00
        #expect(GroupPlacement.partition(of: "é😀", count: 1 << 30) == surrogates)
    }
}
