import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Log

@Suite struct OpenSegmentsTests {
    @Test func noMoreSegmentsThanTheLimitStayOpen() throws {
        var settings = LogSettings()
        settings.maximumOpenSegments = 5
        let (log, partition) = try Site().openWithTopic(settings, ["segment.bytes": "100"])
        for number in 0..<50 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        for offset in 0..<50 as Range<Int64> {
            #expect(try partition.values(from: offset, maximumBytes: 1) == ["\(offset)"])
            #expect(log.openSegments <= 5)
        }
    }

    @Test func aSliceKeepsItsSegmentOpen() throws {
        var settings = LogSettings()
        settings.maximumOpenSegments = 1
        let (log, partition) = try Site().openWithTopic(settings, ["segment.bytes": "100"])
        for number in 0..<5 { try partition.append(batch(["\(number)"])) }
        log.flushDirty()
        let slice = try partition.read(from: 0, maximumBytes: 100, atLeastOneBatch: true)
        for offset in 1..<5 as Range<Int64> { _ = try partition.values(from: offset) }
        var bytes = [UInt8](repeating: 0, count: slice.count)
        #expect(try bytes.withUnsafeMutableBytes { try slice.read(into: $0) } == slice.count)
    }

    @Test func whatWasUsedLatelyStays() throws {
        let context = SegmentContext(files: SimulatedMachine(seed: 1).machine.files, open: OpenSegments(limit: 2))
        try context.files.createDirectory("/s")
        let segments = (0..<4 as Range<Int64>).map {
            Segment(baseOffset: $0, sizeBytes: 0, directory: "/s", context: context)
        }
        for segment in segments { _ = try segment.create() }
        #expect(context.open.count == 2)
        let kept = try segments[3].file()
        _ = try segments[2].file()
        #expect(try segments[3].file() === kept)
    }
}
