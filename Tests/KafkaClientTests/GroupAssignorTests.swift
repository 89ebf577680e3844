import KafkaWire
import Testing

@testable import KafkaClient

@Suite struct GroupAssignorTests {
    private func shares(
        _ assignor: GroupAssignor, _ wishes: [String: Set<String>], _ counts: [String: Int32]
    ) -> [String: [String]] {
        assignor.share(wishes, counts).mapValues { $0.map { "\($0.topic)\($0.partition)" } }
    }

    @Test func rangeGivesNeighboursAndTheFirstMembersMore() {
        let found = shares(.range, ["b": ["t", "u"], "a": ["t"], "c": ["t", "u"]], ["t": 5, "u": 2])
        #expect(found == ["a": ["t0", "t1"], "b": ["t2", "t3", "u0"], "c": ["t4", "u1"]])
    }

    @Test func roundRobinTakesTurnsAcrossTopics() {
        let found = shares(.roundrobin, ["a": ["t", "u"], "b": ["t", "u"]], ["t": 3, "u": 3])
        #expect(found == ["a": ["t0", "t2", "u1"], "b": ["t1", "u0", "u2"]])
    }

    @Test func membersGetOnlyWhatTheyWant() {
        for assignor in GroupAssignor.allCases {
            let found = shares(assignor, ["a": ["t"], "b": ["u"], "c": []], ["t": 2, "u": 1, "nobodys": 9])
            #expect(found == ["a": ["t0", "t1"], "b": ["u0"], "c": []], "\(assignor)")
        }
    }

    @Test func everyPartitionGoesToOneMember() {
        for assignor in GroupAssignor.allCases {
            for members in 1...7 {
                let wishes = Dictionary(uniqueKeysWithValues: (0..<members).map { ("m\($0)", Set(["t", "u"])) })
                let all = assignor.share(wishes, ["t": 10, "u": 3]).values.flatMap { $0 }
                #expect(all.count == 13 && Set(all).count == 13)
            }
            #expect(assignor.share([:], ["t": 3]).isEmpty)
        }
    }

    @Test func failuresTellWhatToDo() {
        func consequence(_ code: ErrorCode) -> GroupConsumer.Consequence {
            GroupConsumer.Consequence(.refused(code, "group"))
        }
        #expect(consequence(.rebalanceInProgress) == .rejoin)
        #expect(consequence(.unknownMemberId) == .startOver && consequence(.illegalGeneration) == .rejoin)
        #expect(consequence(.notCoordinator) == .retry && consequence(.coordinatorLoadInProgress) == .retry)
        #expect(consequence(.fencedInstanceId) == .fail && consequence(.groupAuthorizationFailed) == .fail)
        #expect(GroupConsumer.Consequence(KafkaClientError(.connection, "gone")) == .retry)
        #expect(GroupConsumer.Consequence(KafkaClientError(.timedOut, "late")) == .retry)
    }
}
