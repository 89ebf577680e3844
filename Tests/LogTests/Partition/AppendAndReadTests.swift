import Log
import MillraceTesting
import SimulatedMachine
import Testing

@Suite struct AppendAndReadTests {
    @Test func nothingIsReadableBeforeItIsSynced() throws {
        let (log, partition) = try Site().openWithTopic()
        let result = try partition.append(batch(["a", "b"]))
        #expect(result.baseOffset == 0 && result.endOffset == 2 && !result.isDuplicate)
        #expect(partition.logEndOffset == 2 && partition.highWatermark == 0)
        #expect(try partition.values().isEmpty)
        log.flushDirty()
        #expect(partition.highWatermark == 2)
        #expect(try partition.values() == ["a", "b"])
    }

    @Test func offsetsAndEpochArePatchedAndTheChecksumStillHolds() throws {
        let (log, partition) = try Site().openWithTopic()
        try partition.append(batch(["a"]))
        try partition.append(batch(["b", "c"]))
        log.flushDirty()
        #expect(try partition.records().map(\.offset) == [0, 1, 2])
    }

    @Test func severalBatchesAreAppendedAtOnce() throws {
        let (log, partition) = try Site().openWithTopic()
        let result = try partition.append(batch(["a"]) + batch(["b", "c"]) + batch(["d"]))
        #expect(result.endOffset == 4)
        log.flushDirty()
        #expect(try partition.records().map(\.offset) == [0, 1, 2, 3])
        #expect(try partition.values(from: 3) == ["d"])
    }

    @Test func anOffsetInsideABatchReturnsTheWholeBatch() throws {
        let (log, partition) = try Site().openWithTopic()
        try partition.append(batch(["a", "b", "c"]))
        try partition.append(batch(["d"]))
        log.flushDirty()
        #expect(try partition.values(from: 1) == ["a", "b", "c", "d"])
        #expect(try partition.values(from: 3) == ["d"])
    }

    @Test func readsAreWholeBatchesWithinTheLimit() throws {
        let (log, partition) = try Site().openWithTopic()
        let one = try batch(["0"])
        for number in 0..<200 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        let slice = try partition.read(from: 0, maximumBytes: one.count * 3 + 2, atLeastOneBatch: true)
        #expect(slice.count == one.count * 3)
        #expect(try partition.read(from: 5, maximumBytes: 10, atLeastOneBatch: true).count == one.count)
        #expect(try partition.read(from: 5, maximumBytes: 10, atLeastOneBatch: false).isEmpty)
        for size in [1, 100, 1000, 9999, 100_000] {
            #expect(try partition.allValues(maximumBytes: size) == (0..<200).map(String.init))
        }
    }

    @Test func offsetsOutsideTheLogAreRefused() throws {
        let (log, partition) = try Site().openWithTopic()
        try partition.append(batch(["a", "b"]))
        log.flushDirty()
        #expect(try partition.read(from: 2, maximumBytes: 100, atLeastOneBatch: true).isEmpty)
        for offset in [-1, 3] as [Int64] {
            let error = #expect(throws: LogError.self) {
                try partition.read(from: offset, maximumBytes: 100, atLeastOneBatch: true)
            }
            #expect(error?.code == .offsetOutOfRange)
        }
    }

    @Test func segmentsRollAndReadsGoOverThem() throws {
        let (log, partition) = try Site().openWithTopic(LogSettings(), ["segment.bytes": "1000"])
        for number in 0..<100 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        #expect(try partition.allValues() == (0..<100).map(String.init))
        #expect(partition.sizeBytes == Int64(try batch(["0"]).count * 10 + batch(["10"]).count * 90))
        #expect(try partition.values(from: 50, maximumBytes: 1).first == "50")
    }

    @Test func aBatchLargerThanASegmentGetsItsOwn() throws {
        let (log, partition) = try Site().openWithTopic(LogSettings(), ["segment.bytes": "100"])
        let large = String(repeating: "x", count: 500)
        try partition.append(batch([large]))
        try partition.append(batch([large]))
        log.flushDirty()
        #expect(try partition.allValues() == [large, large])
    }

    @Test func whoeverWaitsIsCalledOnceAfterTheSync() throws {
        let (log, partition) = try Site().openWithTopic()
        let (sync, read) = (Bell(), Bell())
        let result = try partition.append(batch(["a"]), .now)
        #expect(partition.notifyWhenSynced(upTo: result.endOffset, sync))
        #expect(try partition.notifyWhenReadable(beyond: 0, read) != nil)
        #expect(sync.count == 0 && read.count == 0)
        log.flushDirty()
        log.flushDirty()
        #expect(sync.codes == [nil] && read.count == 1)
        #expect(!partition.notifyWhenSynced(upTo: result.endOffset, sync))
        #expect(try partition.notifyWhenReadable(beyond: 0, read) == nil)
    }

    @Test func aCancelledReaderIsNotCalled() throws {
        let (log, partition) = try Site().openWithTopic()
        let (kept, cancelled) = (Bell(), Bell())
        let registration = try #require(try partition.notifyWhenReadable(beyond: 0, cancelled))
        _ = try partition.notifyWhenReadable(beyond: 0, kept)
        partition.cancel(registration)
        try partition.append(batch(["a"]))
        log.flushDirty()
        #expect(kept.count == 1 && cancelled.count == 0)
    }

    @Test func waitersAreBounded() throws {
        var settings = LogSettings()
        settings.maximumReadWaitersPerPartition = 2
        settings.maximumSyncWaitersPerPartition = 1
        let (_, partition) = try Site().openWithTopic(settings)
        for _ in 0..<2 { _ = try partition.notifyWhenReadable(beyond: 0, Bell()) }
        #expect(throws: LogError.self) { try partition.notifyWhenReadable(beyond: 0, Bell()) }
        let result = try partition.append(batch(["a"]), .now)
        _ = partition.notifyWhenSynced(upTo: result.endOffset, Bell())
        let error = #expect(throws: LogError.self) { try partition.append(batch(["b"]), .now) }
        #expect(error?.code == .overloaded)
    }

    @Test func logAppendTimeIsStampedAndTheChecksumRecomputed() throws {
        let site = Site()
        let (log, partition) = try site.openWithTopic(LogSettings(), ["message.timestamp.type": "LogAppendTime"])
        site.simulation.advance(milliseconds: 5_000)
        let result = try partition.append(batch(["a", "b"], timestamp: 17))
        #expect(result.logAppendTime == epochStart + 5_000)
        log.flushDirty()
        #expect(try partition.values() == ["a", "b"])
        #expect(try partition.offset(forTimestamp: epochStart)?.timestamp == epochStart + 5_000)
    }
}
