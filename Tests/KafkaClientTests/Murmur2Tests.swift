import Testing

@testable import KafkaClient

@Suite struct Murmur2Tests {
    /// The vectors of Kafka's own UtilsTest: whoever spreads by key must agree with them.
    @Test(
        arguments: [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
        ] as [(String, Int32)])
    func agreesWithJava(key: String, hash: Int32) {
        #expect(murmur2(Array(key.utf8)) == hash)
    }

    @Test func readsBytesWhereverTheyStand() {
        let shifted = Array("xfoobar".utf8).dropFirst()
        #expect(murmur2(shifted) == -790_332_482)
        #expect(murmur2([UInt8]()) == 275_646_681)
    }
}

@Suite struct PartitionerTests {
    @Test func keysGoWhereJavaSendsThem() {
        let partitioner = Partitioner(count: 7, seed: 1)
        // (murmur2 & 0x7fffffff) % 7 for the vectors above.
        #expect(partitioner.partition(forKey: Array("foobar".utf8)) == Int32((-790_332_482 & 0x7fff_ffff) % 7))
        #expect(partitioner.partition(forKey: Array("abc".utf8)) == Int32(479_470_107 % 7))
    }

    @Test func recordsWithoutKeyStickUntilTheirBatchIsComplete() {
        var partitioner = Partitioner(count: 5, seed: 42)
        let first = partitioner.partitionWithoutKey { _ in true }
        for _ in 0..<100 { #expect(partitioner.partitionWithoutKey { _ in true } == first) }
        partitioner.batchCompleted(in: (first + 1) % 5)
        #expect(partitioner.partitionWithoutKey { _ in true } == first, "another partition's batch moves nothing")
        partitioner.batchCompleted(in: first)
        #expect(partitioner.partitionWithoutKey { _ in true } != first)
    }

    @Test func everyPartitionGetsItsTurn() {
        var partitioner = Partitioner(count: 4, seed: 7)
        var seen: [Int32: Int] = [:]
        for _ in 0..<400 {
            let partition = partitioner.partitionWithoutKey { _ in true }
            seen[partition, default: 0] += 1
            partitioner.batchCompleted(in: partition)
        }
        #expect(seen.keys.sorted() == [0, 1, 2, 3])
        #expect(seen.values.allSatisfy { $0 > 50 })
    }

    @Test func partitionsWithoutLeaderAreAvoidedWhileThereAreOthers() {
        var partitioner = Partitioner(count: 3, seed: 3)
        for _ in 0..<20 {
            let partition = partitioner.partitionWithoutKey { $0 == 2 }
            #expect(partition == 2)
            partitioner.batchCompleted(in: partition)
        }
        #expect((0..<3).contains(partitioner.partitionWithoutKey { _ in false }))
    }

    @Test func oneSeedGivesOneOrder() {
        func order(_ seed: UInt64) -> [Int32] {
            var partitioner = Partitioner(count: 16, seed: seed)
            return (0..<50).map { _ in
                let partition = partitioner.partitionWithoutKey { _ in true }
                partitioner.batchCompleted(in: partition)
                return partition
            }
        }
        #expect(order(9) == order(9))
        #expect(order(9) != order(10))
    }

    @Test func aTopicThatShrankForgetsItsStickyPartition() {
        var partitioner = Partitioner(count: 8, seed: 0)
        while partitioner.partitionWithoutKey(usable: { _ in true }) < 2 {
            partitioner.batchCompleted(in: partitioner.partitionWithoutKey { _ in true })
        }
        partitioner.resize(to: 2)
        #expect((0..<2).contains(partitioner.partitionWithoutKey { _ in true }))
    }
}

@Suite struct BackoffTests {
    /// 200 of 401 is the middle of the spread: no change.
    private let middle: UInt64 = 200

    @Test func doublesUpToItsMost() {
        var backoff = Backoff(firstMilliseconds: 100, mostMilliseconds: 1_000)
        #expect((0..<6).map { _ in backoff.failed(random: middle) } == [100, 200, 400, 800, 1_000, 1_000])
        backoff.succeeded()
        #expect(backoff.failed(random: middle) == 100)
    }

    @Test func spreadsByAFifth() {
        var low = Backoff(firstMilliseconds: 1_000, mostMilliseconds: 1_000)
        var high = low
        #expect(low.failed(random: 0) == 800)
        #expect(high.failed(random: 400) == 1_200)
    }

    @Test func neverOverflows() {
        #expect(Backoff.milliseconds(afterFailures: 1_000, first: .max / 2, most: .max) == .max)
    }
}
