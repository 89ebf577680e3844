import KafkaWire
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@testable import Log

/// The bytes of the sync journal (docs/formats/journal.md), without a log.
@Suite struct JournalFormatTests {
    private static let topic = Uuid(high: 0x0011_2233_4455_6677, low: 0x8899_AABB_CCDD_EEFF)
    private static let block = JournalFormat.blockBytes
    private var random = SeededGenerator(seed: 5)

    /// Partition, segment, position, bytes.
    private typealias Entry = (Int32, Int64, Int64, [UInt8])

    private static let entries: [[Entry]] = [
        [(0, 0, 75, Array("first".utf8)), (1, 9, 0, Array("second".utf8))],
        [(0, 0, 80, (0..<5000).map { UInt8(truncatingIfNeeded: $0) })],
    ]

    /// Written by other code than ours.
    private static func golden() throws -> [UInt8] {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        parts += ["Golden", "format-2", "journal.0"]
        return try #require(try WholeFile.read(parts.joined(separator: "/"), Machine.posix().files))
    }

    private static func round(_ entries: [Entry], _ generation: UInt64, _ number: UInt64) -> [UInt8] {
        var builder = JournalRoundBuilder()
        let size = JournalFormat.roundBytes(entries: entries.count, bytes: entries.reduce(0) { $0 + $1.3.count })
        // As after a larger round: what it left must not show.
        builder.begin(sizeBytes: 5 * block)
        builder.add(topic, 7, segmentBase: 7, position: 7, byteCount: 3 * block) {
            $0.initializeMemory(as: UInt8.self, repeating: 0xEE)
        }
        builder.finish(generation: generation, number: number) { _ in }
        builder.begin(sizeBytes: size)
        for entry in entries {
            builder.add(topic, entry.0, segmentBase: entry.1, position: entry.2, byteCount: entry.3.count) {
                $0.copyBytes(from: entry.3)
            }
        }
        var bytes: [UInt8] = []
        builder.finish(generation: generation, number: number) { bytes = Array($0) }
        #expect(bytes.count == size)
        return bytes
    }

    private static func file(_ generation: UInt64, _ rounds: [[UInt8]]) -> [UInt8] {
        JournalFormat.firstBlock(generation: generation) + rounds.joined()
    }

    @Test func roundsAreWrittenAsTheFormatSays() throws {
        let rounds = Self.entries.enumerated().map { Self.round($1, 5, UInt64($0)) }
        #expect(Self.file(5, rounds + [Self.round([(0, 0, 1, Array("older".utf8))], 4, 2)]) == (try Self.golden()))
    }

    @Test func roundsAreReadAsTheFormatSays() throws {
        let image = JournalImage(try Self.golden())
        #expect(image.generation == 5 && image.damage.isEmpty && !image.isFirstBlockDamaged)
        #expect(image.rounds.map(\.number) == [0, 1])
        let found = image.rounds.map { round in
            round.entries.map { ($0.partition, $0.segmentBase, $0.position, image.bytes[$0.range]) }
        }
        for (round, expected) in zip(found, Self.entries) {
            #expect(round.count == expected.count)
            for (one, other) in zip(round, expected) {
                #expect(one.0 == other.0 && one.1 == other.1 && one.2 == other.2 && Array(one.3) == other.3)
            }
        }
        #expect(image.rounds.allSatisfy { $0.entries.allSatisfy { $0.topicID == Self.topic } })
    }

    @Test func aRoundCountsWholeOrNotAtAll() throws {
        let golden = try Self.golden()
        let second = 2 * Self.block..<2 * Self.block + 5000
        for position in second {
            var bytes = golden
            bytes[position] ^= 0x10
            let image = JournalImage(bytes)
            #expect(image.rounds.map(\.number) == [0] && image.damage.isEmpty, "byte \(position)")
        }
        for count in stride(from: 0, to: golden.count, by: 97) {
            let image = JournalImage(Array(golden.prefix(count)))
            #expect(image.rounds.count <= 2 && image.damage.isEmpty)
        }
    }

    @Test func aRoundBeforeOneThatCountsIsMissed() throws {
        let rounds = (0..<5 as Range<UInt64>).map { Self.round(Self.entries[0], 8, $0) }
        var bytes = Self.file(8, rounds)
        for position in [Self.block, Self.block + 24, Self.block + 80] {
            bytes[position] ^= 1
            #expect(JournalImage(bytes).rounds.map(\.number) == [1, 2, 3, 4])
            #expect(JournalImage(bytes).damage == [Self.block])
            bytes[position] ^= 1
        }
        bytes[2 * Self.block + 50] ^= 1
        bytes[4 * Self.block + 50] ^= 1
        #expect(JournalImage(bytes).rounds.map(\.number) == [0, 2, 4])
        #expect(JournalImage(bytes).damage == [2 * Self.block, 4 * Self.block])
    }

    @Test func onlyTheGenerationOfTheFirstBlockCounts() {
        let old = (0..<3 as Range<UInt64>).map { Self.round(Self.entries[0], 3, $0) }
        #expect(JournalImage(Self.file(4, old)).rounds.isEmpty, "emptied")
        let mixed = JournalImage(Self.file(4, [Self.round(Self.entries[0], 4, 0)] + old.dropFirst()))
        #expect(mixed.rounds.count == 1 && mixed.damage.isEmpty)
        // Round 1 of the older generation where round 1 would follow: the number alone would take it.
        #expect(mixed.rounds.map(\.generation) == [4])
        var torn = Self.file(3, old)
        torn[9] ^= 1
        #expect(JournalImage(torn).rounds.count == 3 && JournalImage(torn).isFirstBlockDamaged)
        let unused = JournalImage([UInt8](repeating: 0, count: 5 * Self.block))
        #expect(unused.rounds.isEmpty && unused.generation == nil && !unused.isFirstBlockDamaged)
    }

    @Test mutating func forgedRoundsWithSoundChecksumsDoNotTrap() throws {
        let golden = try Self.golden()
        for _ in 0..<5_000 {
            var bytes = golden
            for _ in 0..<3 {
                let place = random.coin() ? Self.block + random.upTo(90) : random.upTo(19)
                bytes[place] = random.coin() ? 0xFF : UInt8(truncatingIfNeeded: random.next())
            }
            bytes.withUnsafeMutableBytes { bytes in
                bytes.storeBigEndian(Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<16])), at: 16)
                let count = Int(UnsafeRawBufferPointer(bytes).bigEndian(Self.block + 28, as: UInt32.self))
                let end = Self.block + JournalFormat.roundHeaderBytes + count
                guard end + 4 <= bytes.count else { return }
                let checked = UnsafeRawBufferPointer(rebasing: bytes[Self.block..<end])
                bytes.storeBigEndian(Checksum.of(checked), at: end)
            }
            let image = JournalImage(bytes)
            for entry in image.rounds.flatMap(\.entries) {
                #expect(image.bytes.indices.contains(entry.range.upperBound - 1))
                #expect(entry.position >= 0 && entry.partition >= 0 && entry.segmentBase >= 0)
            }
            _ = JournalContent([.init(path: "x", image: image), .init(path: "y", image: image)]).lastGeneration + 2
        }
    }

    @Test mutating func randomBytesDoNotTrap() {
        for _ in 0..<200 {
            var bytes = (0..<random.upTo(4 * Self.block)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            for place in stride(from: 0, to: bytes.count - 8, by: Self.block) {
                bytes.replaceSubrange(place..<place + 6, with: Array((place == 0 ? "MLSJ" : "MLSR").utf8) + [0, 1])
            }
            _ = JournalImage(bytes)
        }
    }
}
