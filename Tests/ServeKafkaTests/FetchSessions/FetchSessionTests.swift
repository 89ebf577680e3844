import KafkaWire
import Testing

@testable import ServeKafka

@Suite struct FetchSessionTests {
    private func script(_ log: [String: SessionScript.Content], begin: String) -> SessionScript {
        var script = SessionScript()
        script.log = log
        _ = script.begin(begin)
        return script
    }

    @Test func onlyWhatChangedIsTold() {
        var script = SessionScript()
        script.log = ["a/0": .init(end: 5), "a/1": .init(), "b/0": .init(start: 2, end: 2)]
        expectEqual(script.begin("a/0@5 a/1@0 b/0@2"), "a/0 0..5, a/1 0..0, b/0 2..2")
        expectEqual(script.fetch(1), "")
        script.log["a/1"]?.end = 3
        expectEqual(script.fetch(2), "a/1 +3 0..3")
        expectEqual(script.fetch(3, "a/1@3"), "")
        // Retention moves the start; a watermark moves while the client reads behind it.
        script.log["b/0"] = .init(start: 2, end: 9)
        expectEqual(script.fetch(4, "b/0@9"), "b/0 2..9")
        script.log["b/0"]?.start = 7
        expectEqual(script.fetch(5), "b/0 7..9")
        expectEqual(script.fetch(6), "")
    }

    @Test func whatIsNotFetchedOnIsToldAgain() {
        var script = script(["a/0": .init(end: 4)], begin: "a/0@0")
        // The client has not moved its offset: the records are still what it asked for.
        expectEqual(script.fetch(1), "a/0 +4 0..4")
        expectEqual(script.fetch(2, "a/0@4"), "")
    }

    @Test func errorsAreToldUntilTheyAreOver() {
        var script = script(["a/0": .init(), "a/1": .init()], begin: "a/0 a/1")
        script.log["a/0"] = nil
        expectEqual(script.fetch(1), "a/0 UNKNOWN_TOPIC_OR_PARTITION")
        expectEqual(script.fetch(2), "a/0 UNKNOWN_TOPIC_OR_PARTITION")
        script.log["a/0"] = .init()
        expectEqual(script.fetch(3), "a/0 0..0")
        expectEqual(script.fetch(4), "")
        script.log["a/1"] = .init(start: 4, end: 6)
        expectEqual(script.fetch(5), "a/1 OFFSET_OUT_OF_RANGE")
        expectEqual(script.fetch(6, "a/1@6"), "a/1 4..6")
    }

    @Test func partitionsAreAddedAndForgotten() {
        var script = script(["a/0": .init(), "a/1": .init(), "b/0": .init(end: 1)], begin: "a/0 a/1")
        expectEqual(script.fetch(1, "b/0@1", forget: "a/0"), "b/0 0..1")
        script.log["a/0"]?.end = 1
        script.log["a/1"]?.end = 1
        expectEqual(script.fetch(2, forget: "zz/7 a/5"), "a/1 +1 0..1")
        #expect(script.session.count == 2)
        // As in Kafka, what is both added and forgotten is forgotten.
        expectEqual(script.fetch(3, "a/0", forget: "a/0 a/1 b/0"), "")
        #expect(script.session.count == 0)
    }

    @Test func epochsAndNamesMustFit() {
        var script = script(["a/0": .init()], begin: "a/0")
        for epoch: Int32 in [2, 7, -5, .max, .min] {
            expectEqual(script.fetch(epoch, "b/0"), "INVALID_FETCH_SESSION_EPOCH")
        }
        expectEqual(script.fetch(1, "b/0", version: 13), "FETCH_SESSION_TOPIC_ID_ERROR")
        #expect(script.session.count == 1 && script.session.epoch == 1)
        expectEqual(script.fetch(1), "")
        expectEqual(script.fetch(1), "INVALID_FETCH_SESSION_EPOCH")
        var byID = SessionScript(usesTopicIDs: true)
        _ = byID.begin("a/0")
        expectEqual(byID.fetch(1, version: 12), "FETCH_SESSION_TOPIC_ID_ERROR")
    }

    @Test func theEpochAfterTheLastIsOne() {
        #expect(FetchSession.epoch(after: 1) == 2)
        #expect(FetchSession.epoch(after: .max - 1) == .max)
        #expect(FetchSession.epoch(after: .max) == 1)
    }

    /// Whoever had records goes to the end, so that a small limit serves everybody in turn.
    @Test func partitionsTakeTurns() {
        let full = SessionScript.Content(end: 100)
        var script = script(["a/0": full, "a/1": full, "b/0": full], begin: "a/0@100 a/1@100 b/0@100")
        script.maximumBytes = 50
        for name in ["a/0", "a/1", "b/0"] { script.log[name]?.end = 150 }
        expectEqual(script.fetch(1), "a/0 +50 0..150, a/1 0..150, b/0 0..150")
        script.log["a/0"]?.end = 200
        expectEqual(script.fetch(2, "a/0@150"), "a/1 +50 0..150, a/0 0..200")
        expectEqual(script.fetch(3, "a/1@150"), "b/0 +50 0..150")
        expectEqual(script.fetch(4, "b/0@150"), "a/0 +50 0..200")
    }

    @Test func whatIsForgottenGivesItsMemoryBack() {
        var partitions = SessionPartitions()
        let topic = FetchedTopic(name: "a", id: .zero)
        func part(_ index: Int32) -> SessionPartition {
            var asked = FetchRequest.FetchPartition()
            asked.partition = index
            return SessionPartition(topic, asked)
        }
        for index: Int32 in 0..<1_000 { partitions.append(part(index)) }
        for index: Int32 in 0..<1_000 where index % 10 != 0 { partitions.remove(topic, index) }
        partitions.shrinkIfSparse()
        var seen: [Int32] = []
        partitions.forEach { place, part in
            #expect(place < 100)
            seen.append(part.asked.partition)
        }
        #expect(seen == Array(stride(from: 0, to: 1_000, by: 10)))
    }
}
