import Search
import Telemetry
import Testing
import View

/// What is merged when, and what a merge leaves out.
@Suite struct LineCompactionTests {
    private static let day: Int64 = 86_400_000_000_000
    private static let dayMilliseconds: Int64 = 86_400_000

    private func cut(_ site: inout LineSite, _ lines: [(Int64, String)], _ stream: String = "{a=\"1\"}") throws {
        try site.push(stream, lines)
        try site.cut()
    }

    private func details(_ site: LineSite) throws -> [LineBlockDetails] {
        try site.manifest.blocks.map { try LineBlockDetails(decoding: $0.details) }
    }

    @Test func eachDayHasItsBlocks() throws {
        var site = try LineSite()
        try cut(&site, [(Self.day - 1, "a"), (Self.day, "b"), (-1, "c"), (5 * Self.day + 7, "d")])
        #expect(try details(site).map(\.day) == [-1, 0, 1, 5])
        #expect(try details(site).map(\.lines) == [1, 1, 1, 1])
        #expect(try site.partition.texts() == ["c", "a", "b", "d"])
    }

    @Test func timesOfAnyAgeMakeABoundedNumberOfBlocks() throws {
        var site = try LineSite()
        try cut(&site, (0..<700).map { (Int64($0 - 300) * 3 * Self.day, "\($0)") })
        #expect(site.manifest.blocks.count <= 256 && site.manifest.blocks.count > 128)
        #expect(try site.partition.texts().count == 700)
    }

    @Test func fourOfASizeBecomeOneAndEqualLinesToo() throws {
        var site = try LineSite()
        for number in 0..<4 {
            #expect(try !site.compact())
            try cut(&site, [(Int64(10 - number), "line \(number)"), (7, "again and again")])
        }
        #expect(try site.partition.texts().filter { $0.hasPrefix("again") }.count == 4)
        #expect(try site.compact())
        #expect(try !site.compact())
        #expect(try details(site).map { [$0.level, $0.firstCut, $0.lastCut, $0.lines] } == [[1, 1, 4, 5]])
        #expect(try site.partition.texts().filter { $0.hasPrefix("again") }.count == 1)
        // Another day's are left alone.
        for number in 0..<3 { try cut(&site, [(Self.day + Int64(number), "x")]) }
        #expect(try !site.compact())
    }

    @Test func aDayThatIsOverEndsAsOneBlock() throws {
        var site = try LineSite()
        for number in 0..<2 { try cut(&site, [(Int64(number), "x")]) }
        #expect(try !site.compact(now: Self.dayMilliseconds))
        #expect(try site.compact(now: Self.dayMilliseconds + 601_000))
        #expect(site.manifest.blocks.count == 1)
        #expect(try !site.compact(now: Self.dayMilliseconds + 601_000))
    }

    @Test func aDeletionIsAppliedAndForgotten() throws {
        var site = try LineSite()
        try cut(&site, [(1, "keep"), (2, "secret one"), (3, "secret two")])
        try site.push("{a=\"2\"}", [(2, "secret three")])
        try site.command(.delete(SearchDeletion(selector: "{a=\"1\"}", first: 2, last: 2, containing: bytes("secret"))))
        let expected = ["keep", "secret three", "secret two"]
        #expect(try site.partition.texts().sorted() == expected)
        // The deletion is not in the manifest yet.
        #expect(try !site.compact())
        try site.cut()
        #expect(try site.compact())
        #expect(try !site.compact())
        #expect(try details(site).reduce(0) { $0 + $1.lines } == 3)
        #expect(try site.partition.texts().sorted() == expected)
        _ = try site.restart()
        #expect(try site.partition.texts().sorted() == expected)
        // Nothing of it is left in a state that is written from now on.
        try site.push("{a=\"3\"}", [(4, "x")])
        try site.cut()
        #expect(!String(decoding: site.manifest.state, as: UTF8.self).contains("secret"))
    }

    @Test func expiredBlocksGoAndExpiredStreamsOfOthers() throws {
        var site = try LineSite()
        try site.push("{class=\"debug\"}", [(1, "debug 0"), (2 * Self.day + 1, "debug 2")])
        try cut(&site, [(1, "audit 0"), (2 * Self.day + 1, "audit 2")], "{class=\"audit\"}")
        try site.command(
            .setRetention(
                SearchRetention(
                    rules: [.init(selector: "{class=\"debug\"}", nanoseconds: Self.day)], nanoseconds: 5 * Self.day)))
        #expect(site.partition.retention.rules.count == 1)
        #expect(try !site.compact(now: Self.dayMilliseconds))
        #expect(try site.compact(now: Self.dayMilliseconds + 1))
        #expect(try site.partition.texts() == ["audit 0", "audit 2", "debug 2"])
        #expect(try !site.compact(now: 3 * Self.dayMilliseconds))
        #expect(try site.compact(now: 4 * Self.dayMilliseconds))
        #expect(try site.compact(now: 6 * Self.dayMilliseconds))
        #expect(try site.partition.texts() == ["audit 2"])
        #expect(try !site.compact(now: 6 * Self.dayMilliseconds))
        #expect(try site.compact(now: 8 * Self.dayMilliseconds))
        #expect(site.manifest.blocks.isEmpty)
    }

    /// Never four of a size beside each other.
    @Test func blocksOfUnequalSizesDoNotPileUp() throws {
        var site = try LineSite()
        for number in 0..<60 {
            // 40 KB that compress to no less than half.
            let lines = number % 2 == 0 ? 1 : 600
            try cut(
                &site,
                (0..<lines).map { line in
                    let words = (1...4).map { UInt64(number * 1_000 + line * 4 + $0) &* 0x9E37_79B9_7F4A_7C15 }
                    return (Int64(line), words.map { String($0 ^ $0 >> 29, radix: 36) }.joined())
                })
            while try site.compact() {}
            #expect(site.manifest.blocks.count <= 24)
        }
        #expect(try site.partition.texts().count == 30 * 601)
    }

    /// A command whose selector cannot be read changes nothing.
    @Test func aCommandThatCannotBeReadIsRefused() throws {
        var site = try LineSite()
        try site.push("{a=\"1\"}", [(1, "x")])
        let refused = try site.command(.delete(SearchDeletion(selector: "{a=", first: .min, last: .max)))
        #expect(refused.count == 1 && refused[0].count == 0 && refused[0].reason.contains("selector"))
        #expect(try site.partition.texts() == ["x"])
    }
}
