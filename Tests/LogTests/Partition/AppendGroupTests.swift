import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@Suite struct AppendGroupTests {
    private func commit(
        _ batches: [[UInt8]], to partition: Partition, _ durability: Durability = .flushInterval,
        waiter: (any SyncWaiter)? = nil
    ) throws -> [AppendGroup.Outcome] {
        var group = AppendGroup()
        for batch in batches {
            var bytes = batch
            try bytes.withUnsafeMutableBytes { bytes in
                let hasRoom = group.hasRoom(for: partition, byteCount: bytes.count)
                #expect(hasRoom)
                try group.add(bytes, to: partition, durability: durability, waiter: waiter)
            }
        }
        var outcomes: [AppendGroup.Outcome] = []
        group.commit { outcomes.append($1) }
        let isEmpty = group.isEmpty
        #expect(isEmpty && outcomes.count == batches.count)
        return outcomes
    }

    private func numbered(_ range: Range<Int>) throws -> [[UInt8]] { try range.map { try batch(["\($0)"]) } }

    @Test func membersGetTheirOffsetsInOrderAndShareOneWrite() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic()
        _ = try commit(numbered(0..<1), to: partition)
        let writes = site.simulation.calls(of: .write)
        let outcomes = try commit(numbered(1..<100) + [batch(["a", "b", "c"]), batch(["d"])], to: partition)
        #expect(outcomes.map(\.baseOffset) == (1...100).map { $0 } + [103])
        #expect(outcomes.last?.endOffset == 104)
        #expect(site.simulation.calls(of: .write) == writes + 1)
        log.flushDirty()
        #expect(try partition.allValues() == (0..<100).map(String.init) + ["a", "b", "c", "d"])
    }

    @Test func aProducersSequenceIsCheckedWithinTheGroup() throws {
        let (log, partition) = try Site().openWithTopic()
        func sent(_ sequence: Int32) throws -> [UInt8] {
            try batch(["\(sequence)"], producer: 7, epoch: 0, sequence: sequence)
        }
        let outcomes = try commit(
            [sent(0), sent(1), sent(1), sent(3), batch(["plain"]), sent(2), sent(0)], to: partition)
        #expect(outcomes.map(\.baseOffset) == [0, 1, 1, nil, 2, 3, 0])
        #expect(outcomes[3].error?.code == .outOfOrderSequence)
        #expect(outcomes.map(\.isDuplicate) == [false, false, true, false, false, false, true])
        log.flushDirty()
        #expect(try partition.allValues() == ["0", "1", "plain", "2"])
    }

    @Test func producersDoNotDisturbEachOther() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic()
        let batches = try (0..<20).map { try batch(["\($0)"], producer: Int64($0), epoch: 0, sequence: 0) }
        _ = try commit([batch(["first"])], to: partition)
        let writes = site.simulation.calls(of: .write)
        #expect(try commit(batches, to: partition).map(\.baseOffset) == (1...20).map { $0 })
        #expect(site.simulation.calls(of: .write) == writes + 1)
        #expect(try commit(batches, to: partition).allSatisfy(\.isDuplicate))
        log.flushDirty()
    }

    @Test func aFailedWriteFailsAllThatSharedItAndLeavesNothing() throws {
        for seed in 0..<20 as Range<UInt64> {
            let site = Site(seed: seed)
            let (log, partition) = try site.openWithTopic()
            _ = try commit(numbered(0..<3), to: partition)
            log.flushDirty()
            site.simulation.inject(SimulatedFault(.noSpace, at: [.write], path: ".log", .call(1)))
            let sent = try (0..<5).map { try batch(["\($0)"], producer: Int64($0), epoch: 0, sequence: 0) }
            let outcomes = try commit(sent, to: partition, .now, waiter: Bell())
            #expect(outcomes.allSatisfy { $0.error?.code == .noSpace })
            #expect(partition.logEndOffset == 3)
            site.simulation.clearFaults()
            let again = try commit(sent, to: partition)
            #expect(again.map(\.baseOffset) == [3, 4, 5, 6, 7] && !again.contains(where: \.isDuplicate))
            log.flushDirty()
            site.simulation.crash()
            let (_, same) = try site.openWithTopic()
            #expect(try same.allValues() == ["0", "1", "2", "0", "1", "2", "3", "4"])
        }
    }

    @Test func waitersAreCalledOnceTheirMembersAreSynced() throws {
        let (log, partition) = try Site().openWithTopic()
        let bell = Bell()
        let outcomes = try commit(numbered(0..<10), to: partition, .now, waiter: bell)
        #expect(outcomes.allSatisfy(\.waits) && bell.count == 0)
        log.flushDirty()
        #expect(bell.codes == Array(repeating: nil, count: 10))
        let sent = try batch(["x"], producer: 1, epoch: 0, sequence: 0)
        _ = try commit([sent], to: partition)
        #expect(try commit([sent], to: partition, .now, waiter: bell).allSatisfy(\.waits), "repeated, not synced yet")
        log.flushDirty()
        #expect(bell.count == 11)
        #expect(!(try commit([sent], to: partition, .now, waiter: bell)).contains(where: \.waits), "it is durable")
    }

    @Test func theBoundOnWaitersHoldsWithinAGroup() throws {
        var settings = LogSettings()
        settings.maximumSyncWaitersPerPartition = 4
        let (log, partition) = try Site().openWithTopic(settings)
        let outcomes = try commit(numbered(0..<6), to: partition, .now, waiter: Bell())
        #expect(outcomes.map(\.waits) == [true, true, true, true, false, false])
        #expect(outcomes[5].error?.code == .overloaded)
        log.flushDirty()
        #expect(try partition.allValues() == ["0", "1", "2", "3"])
    }

    @Test func aGroupRollsSegmentsWhereTheyAreFull() throws {
        let (log, partition) = try Site().openWithTopic(LogSettings(), ["segment.bytes": "1048576"])
        let large = String(repeating: "v", count: 15_000)
        for _ in 0..<20 {
            let outcomes = try commit((0..<8).map { try batch(["\($0)" + large]) }, to: partition)
            #expect(outcomes.allSatisfy { $0.error == nil })
        }
        log.flushDirty()
        #expect(try partition.allValues().map(\.first) == (0..<160).map { "\($0 % 8)".first })
    }

    @Test func badBatchesAndOtherPartitionsDoNotJoin() throws {
        let log = try Site().open()
        let topic = try log.createTopic("t", partitions: 2, configs: [:])
        var group = AppendGroup()
        var (good, bad) = (try batch(["a"]), try batch(["b"]))
        bad[bad.count - 1] ^= 1
        let error = #expect(throws: LogError.self) {
            try bad.withUnsafeMutableBytes {
                try group.add($0, to: topic.partitions[0], durability: .now, waiter: nil)
            }
        }
        let isEmpty = group.isEmpty
        #expect(error?.code == .corruptBatch && isEmpty)
        try good.withUnsafeMutableBytes {
            try group.add($0, to: topic.partitions[0], durability: .none, waiter: nil)
        }
        let takesOthers = group.hasRoom(for: topic.partitions[1], byteCount: 100)
        let takesLarge = group.hasRoom(for: topic.partitions[0], byteCount: AppendGroup.maximumMemberBytes + 1)
        #expect(!takesOthers && !takesLarge)
        log.close()
        group.commit { #expect($1.error?.code == .closed) }
    }
}

extension AppendGroup.Outcome {
    fileprivate var result: AppendResult? {
        switch self {
        case .appended(let result), .waiting(let result): result
        case .failed: nil
        }
    }

    fileprivate var baseOffset: Int64? { result?.baseOffset }
    fileprivate var endOffset: Int64? { result?.endOffset }
    fileprivate var isDuplicate: Bool { result?.isDuplicate ?? false }

    fileprivate var waits: Bool {
        if case .waiting = self { true } else { false }
    }

    fileprivate var error: LogError? {
        if case .failed(let error) = self { error } else { nil }
    }
}
