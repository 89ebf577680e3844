import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@Suite struct TimestampTests {
    @Test func theFirstRecordFromATimeOn() throws {
        let (log, partition) = try Site().openWithTopic(
            LogSettings(), ["segment.bytes": "1000", "index.interval.bytes": "200"])
        // Two records per batch, timestamps 0, 1, 10, 11, 20, 21, …
        for number in 0..<100 {
            try partition.append(batch(["a", "b"], timestamp: epochStart + Int64(number * 10 - 1000)))
        }
        log.flushDirty()
        for number in 0..<100 {
            let time = epochStart + Int64(number * 10 - 1000)
            #expect(try partition.offset(forTimestamp: time)?.offset == Int64(number * 2))
            #expect(try partition.offset(forTimestamp: time + 1)?.offset == Int64(number * 2 + 1))
            #expect(try partition.offset(forTimestamp: time + 2)?.offset == (number < 99 ? Int64(number * 2 + 2) : nil))
        }
        #expect(try partition.offset(forTimestamp: 0)?.offset == 0)
        #expect(try partition.offsetOfMaximumTimestamp()?.offset == 199)
        #expect(try partition.offset(forTimestamp: epochStart - 1000)?.leaderEpoch == 0)
    }

    @Test func timestampsNeedNotAscend() throws {
        let (log, partition) = try Site().openWithTopic(LogSettings(), ["segment.bytes": "300"])
        for time in [50, 10, 90, 20, 70, 90, 5] as [Int64] { try partition.append(batch(["x"], timestamp: time)) }
        log.flushDirty()
        let found = try [0, 10, 50, 51, 60, 90].map { try partition.offset(forTimestamp: $0)?.offset }
        #expect(found == [0, 0, 0, 2, 2, 2])
        #expect(try partition.offset(forTimestamp: 91) == nil)
        #expect(try partition.offsetOfMaximumTimestamp()?.offset == 2)
    }

    @Test func nothingBeyondTheHighWatermarkIsFound() throws {
        let (log, partition) = try Site().openWithTopic()
        #expect(try partition.offsetOfMaximumTimestamp() == nil)
        try partition.append(batch(["a"], timestamp: 100))
        #expect(try partition.offset(forTimestamp: 0) == nil)
        log.flushDirty()
        try partition.append(batch(["b"], timestamp: 200))
        #expect(try partition.offset(forTimestamp: 150) == nil)
        #expect(try partition.offset(forTimestamp: 50)?.offset == 0)
    }

    /// What sealing stores is lost: the index that a checkpoint stored at the same size must know every time.
    @Test func anIndexOfACheckpointServesTheSealedSegment() throws {
        let site = Site()
        var settings = LogSettings()
        settings.snapshotIntervalBytes = 1
        let (log, partition) = try site.openWithTopic(settings, ["segment.bytes": "250"])
        for number in 0..<3 { try partition.append(batch(["\(number)"], timestamp: epochStart + Int64(number))) }
        log.checkpoint()
        site.simulation.inject(SimulatedFault(.noSpace, at: [.open], path: "index", .from(1)))
        for number in 3..<6 { try partition.append(batch(["\(number)"], timestamp: epochStart + Int64(number))) }
        log.flushDirty()
        site.simulation.crash()
        site.simulation.clearFaults()
        let (_, same) = try site.openWithTopic(settings)
        for number in 0..<6 {
            #expect(try same.offset(forTimestamp: epochStart + Int64(number))?.offset == Int64(number))
        }
    }

    /// The time index could not be stored along with the offset index: what it lacks is read from the log.
    @Test func aTimeIndexOlderThanTheOffsetIndexIsCompleted() throws {
        let site = Site()
        var settings = LogSettings()
        settings.snapshotIntervalBytes = 1
        let (log, partition) = try site.openWithTopic(settings, ["index.interval.bytes": "1"])
        for number in 0..<8 {
            try partition.append(batch(["\(number)"], timestamp: epochStart + (number == 4 ? 100 : Int64(number))))
            if number == 1 { log.checkpoint() }
        }
        site.simulation.inject(SimulatedFault(.noSpace, at: [.open], path: ".timeindex", .from(1)))
        log.checkpoint()
        site.simulation.crash()
        site.simulation.clearFaults()
        let (again, same) = try site.openWithTopic(settings)
        again.flushDirty()
        #expect(try same.offset(forTimestamp: epochStart + 50)?.offset == 4)
        #expect(try same.offsetOfMaximumTimestamp()?.offset == 4)
    }
}
