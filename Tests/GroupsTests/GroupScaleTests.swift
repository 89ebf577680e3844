import KafkaWire
import Log
import Machine
import MillraceTesting
import Testing

@testable import Groups

/// Many groups, and large ones. The times are loose: they catch what grows with the square.
@Suite struct GroupScaleTests {
    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let clock = Machine.posix().clock
        let start = clock.monotonicNanoseconds()
        try body()
        return Double(clock.monotonicNanoseconds() - start) / 1e9
    }

    @Test func tenThousandGroups() throws {
        let site = try GroupSite()
        let time = try seconds {
            for number in 0..<10_000 as Range<Int64> {
                _ = site.commit("group-\(number)", number)
                if number % 100 == 0 { _ = site.join("group-\(number)", requiresMemberID: true) }
            }
            site.flush()
            #expect(site.groups.groupCount == 10_000 && site.groups.groups().count == 10_000)
            site.close()
            try site.reopen()
            #expect(site.groups.groupCount == 10_000 && site.committed("group-9999") == 9_999)
            site.groups.expireOffsets()
            site.pass(10_000)
        }
        #expect(time < 30)
    }

    @Test func aThousandMembersRebalance() throws {
        let site = try GroupSite()
        var members: [String] = []
        let time = try seconds {
            members = try site.stable("g", members: 1_000, metadata: subscription((0..<10).map { "topic-\($0)" }))
            let joins = members.map { site.join("g", $0, metadata: subscription(["t"])) }
            let generation = try #require(joins[0].value?.generation)
            #expect(generation == 2 && joins.allSatisfy { $0.value?.error == ErrorCode.none })
            let syncs = members.reversed().map { site.sync("g", $0, generation) }
            site.flush()
            #expect(syncs.allSatisfy { $0.value?.error == ErrorCode.none })
            site.pass(9_000)
            for member in members {
                let identity = GroupMemberIdentity(memberID: member)
                #expect(site.groups.heartbeat(groupID: "g", member: identity, generation: generation) == .none)
            }
            site.close()
            try site.reopen()
            #expect(site.groups.describe(groupID: "g")?.members.count == 1_000)
            site.pass(10_000)
            #expect(site.groups.describe(groupID: "g")?.state == .empty)
        }
        #expect(members.count == 1_000 && time < 30)
    }
}
