import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Log

@Suite struct IndexTests {
    private let files = SimulatedMachine(seed: 1).machine.files

    private func stored(_ count: Int) throws -> IndexView<OffsetEntry> {
        let entries = (0..<count).map { OffsetEntry(relativeOffset: UInt32($0 * 3), position: UInt32($0 * 5000)) }
        try files.createDirectory("/i")
        try IndexFile.write(entries, baseOffset: 40, coveredBytes: 99, directory: "/i", files: files)
        return try IndexFile.read(OffsetEntry.self, baseOffset: 40, directory: "/i", files: files)
    }

    @Test(arguments: [0, 1, 508, 509, 510, 1018, 5000])
    func entriesComeBack(count: Int) throws {
        let view = try stored(count)
        #expect(view.count == count && view.coveredBytes == 99)
        for index in 0..<count { #expect(view[index].position == UInt32(index * 5000)) }
        let index = SparseIndex.mapped(view)
        #expect(index.last { $0.relativeOffset <= 4 }?.relativeOffset == (count == 0 ? nil : count == 1 ? 0 : 3))
        #expect(index.last { $0.relativeOffset <= 30_000 } == index.last)
    }

    @Test func entriesAreAddedFromAPageOn() throws {
        _ = try stored(700)
        let more = (0..<1500).map { OffsetEntry(relativeOffset: UInt32($0 * 3), position: UInt32($0 * 5000)) }
        try IndexFile.write(more, from: 700, baseOffset: 40, coveredBytes: 100, directory: "/i", files: files)
        let view = try IndexFile.read(OffsetEntry.self, baseOffset: 40, directory: "/i", files: files)
        #expect(SparseIndex.mapped(view).entries == more && view.coveredBytes == 100)
    }

    @Test(arguments: [0, 600])
    func anIndexThatWasHalfWrittenIsNotTakenForAWholeOne(already: Int) throws {
        let entries = (0..<2000).map { OffsetEntry(relativeOffset: UInt32($0 * 3), position: UInt32($0 * 5000)) }
        let machine = SimulatedMachine(seed: 1)
        func write(_ count: Int, from first: Int) throws {
            try IndexFile.write(
                Array(entries[..<count]), from: first, baseOffset: 40, coveredBytes: Int64(count), directory: "/i",
                files: machine.machine.files)
        }
        try machine.machine.files.createDirectory("/i")
        if already > 0 { try write(already, from: 0) }
        // Opening is the first operation, the second writes all pages but one.
        machine.stop(atOperation: 3)
        try? write(2000, from: already)
        machine.crash()
        #expect(throws: IndexFault.self) {
            try IndexFile.read(OffsetEntry.self, baseOffset: 40, directory: "/i", files: machine.machine.files)
        }
        try write(2000, from: 0)
        let view = try IndexFile.read(
            OffsetEntry.self, baseOffset: 40, directory: "/i", files: machine.machine.files)
        #expect(view.coveredBytes == 2000 && view.count == 2000)
    }

    @Test(arguments: [0, 4, 6, 8, 16, 24, 3000, 4096, 8000])
    func aFlippedByteIsNoticed(position: Int64) throws {
        _ = try stored(700)
        let file = try files.open("/i/" + SegmentName.file(40, .index), .readWrite)
        var byte: [UInt8] = [0]
        _ = try byte.withUnsafeMutableBytes { try file.read(into: $0, at: position) }
        byte[0] ^= 0x10
        try byte.withUnsafeBytes { try file.write($0, at: position) }
        #expect(throws: IndexFault.self) {
            try IndexFile.read(OffsetEntry.self, baseOffset: 40, directory: "/i", files: files)
        }
    }

    @Test func anotherSegmentsIndexIsNotTaken() throws {
        _ = try stored(7)
        try files.rename("/i/" + SegmentName.file(40, .index), to: "/i/" + SegmentName.file(41, .index))
        #expect(throws: IndexFault.self) {
            try IndexFile.read(OffsetEntry.self, baseOffset: 41, directory: "/i", files: files)
        }
    }

    @Test func theTimeIndexHoldsTheLargestTimestampSoFar() {
        var builder = IndexBuilder(baseOffset: 10, intervalBytes: 100)
        let timestamps: [Int64] = [5, 9, 7, 7, 12, 3, 3, 3]
        for (number, timestamp) in timestamps.enumerated() {
            builder.add(
                offset: 10 + Int64(number), sizeBytes: 60, maxTimestamp: timestamp, position: Int64(number * 60))
        }
        builder.finish(endOffset: 18)
        #expect(builder.offsets.map(\.relativeOffset) == [2, 4, 6])
        #expect(
            builder.times == [
                TimeEntry(timestamp: 9, relativeOffset: 2), TimeEntry(timestamp: 12, relativeOffset: 6),
            ])
        #expect(builder.maxTimestamp == 12)
    }

    @Test func namesAreTwentyDigits() {
        #expect(SegmentName.file(42, .log) == "00000000000000000042.log")
        #expect(SegmentName.file(Int64.max, .index) == "09223372036854775807.index")
        #expect(SegmentName.baseOffset(of: "00000000000000000042.log", .log) == 42)
        for name in ["42.log", "00000000000000000042.index", "0000000000000000004x.log", "99999999999999999999.log"] {
            #expect(SegmentName.baseOffset(of: name, .log) == nil)
        }
    }
}
