import KafkaWire
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Log

/// Bytes from a disk are input: nothing they say may trap.
@Suite struct HostileFileTests {
    private var random = SeededGenerator(seed: 11)

    private var snapshot: ProducerSnapshot {
        var state = PartitionState()
        for number in 0..<20 as Range<Int64> {
            var facts = BatchFacts()
            facts.producerID = number % 3
            facts.producerEpoch = 1
            facts.baseSequence = Int32(number / 3)
            facts.maxTimestamp = number
            _ = state.append(facts, now: 0)
        }
        return ProducerSnapshot(of: state)
    }

    @Test func snapshotsComeBackAndFlippedOnesDoNot() throws {
        let bytes = snapshot.encoded()
        #expect(try ProducerSnapshot(decoding: bytes, path: "x") == snapshot)
        for position in bytes.indices {
            var flipped = bytes
            flipped[position] ^= 0x80
            #expect(throws: LogError.self) { try ProducerSnapshot(decoding: flipped, path: "x") }
            #expect(throws: LogError.self) { try ProducerSnapshot(decoding: Array(bytes.prefix(position)), path: "x") }
        }
    }

    @Test mutating func forgedSnapshotsWithSoundChecksumsDoNotTrap() {
        for _ in 0..<2_000 {
            var bytes = snapshot.encoded()
            for _ in 0..<3 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            bytes.removeLast(4)
            let checksum = bytes.withUnsafeBytes { Checksum.of($0) }
            withUnsafeBytes(of: checksum.bigEndian) { bytes += Array($0) }
            _ = try? ProducerSnapshot(decoding: bytes, path: "x")
        }
    }

    @Test mutating func forgedCheckpointsDoNotTrap() throws {
        let files = SimulatedMachine(seed: 1).machine.files
        try files.createDirectory("/c")
        var entry = CheckpointEntry(topicID: Uuid(high: 1, low: 2), partition: 3)
        entry.epochs.note(4, at: 5)
        let checkpoint = Checkpoint(isClean: true, writtenMilliseconds: 9, entries: [entry, entry])
        try checkpoint.write(to: "/c/x", inDirectory: "/c", files)
        #expect(try Checkpoint.read("/c/x", files) == checkpoint)
        let sound = try #require(try WholeFile.read("/c/x", files))
        for _ in 0..<2_000 {
            var bytes = sound
            for _ in 0..<3 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            bytes.removeLast(4)
            let checksum = bytes.withUnsafeBytes { Checksum.of($0) }
            withUnsafeBytes(of: checksum.bigEndian) { bytes += Array($0) }
            try WholeFile.replace("/c/x", inDirectory: "/c", with: bytes, files)
            _ = try? Checkpoint.read("/c/x", files)
        }
    }

    @Test mutating func randomSegmentsAreOpenedWithoutTraps() throws {
        for seed in 0..<40 as Range<UInt64> {
            let site = Site(seed: seed)
            let (log, partition) = try site.openWithTopic(LogSettings(), ["segment.bytes": "600"])
            for number in 0..<30 as Range<Int32> {
                try partition.append(batch(["\(number)"], producer: 1, epoch: 0, sequence: number))
            }
            log.close()
            for name in try site.names() {
                let size = try site.contents("/data/log/t/0/" + name).count
                for _ in 0..<2 where size > 0 {
                    let position = Int64(random.next() % UInt64(size))
                    try site.overwrite(
                        "/data/log/t/0/" + name, at: position, with: [UInt8(truncatingIfNeeded: random.next())])
                }
            }
            if seed % 2 == 0 { try site.simulation.machine.files.remove("/data/checkpoint") }
            let again = try site.open()
            let same = try #require(again.topic(named: "t")?.partitions[0])
            for offset in 0..<31 as Range<Int64> {
                _ = try? same.read(from: offset, maximumBytes: 200, atLeastOneBatch: true)
                _ = try? same.offset(forTimestamp: epochStart + offset)
            }
            again.close()
            _ = try LogCheckAccess.run(site, repair: true)
            _ = try LogCheckAccess.run(site)
        }
    }
}
