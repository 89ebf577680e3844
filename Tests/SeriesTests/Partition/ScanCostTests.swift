import Series
import Testing

/// What a scan says that it has read: pages and blocks, counted by hand.
@Suite struct ScanCostTests {
    /// One series of 10,000 points at 0, 10, 20, … in a block, and as many later ones in another.
    private func site() throws -> PartitionSite {
        var site = try PartitionSite()
        for block in 0..<2 {
            let lines = (0..<10_000).map { "m,t=a v=\($0)i,w=1i \(block * 1_000_000 + $0 * 10)" }
            try site.write(lines.joined(separator: "\n"))
            try site.cut()
        }
        return site
    }

    private func read(
        _ site: PartitionSite, _ range: ClosedRange<Int64>, fields: [String] = ["v"], descending: Bool = false,
        summaries: Bool = false
    ) throws -> (scans: PointScans, cost: ScanCost) {
        var request = ScanRequest(measurement: bytes("m"), range: range, fields: fields.map { bytes($0) })
        request.descending = descending
        let scans = try site.partition.scan(request)
        var cost = ScanCost()
        for scan in scans.parts {
            while try scan.next({ _ in summaries }) != nil {}
            cost += scan.cost
        }
        return (scans, cost)
    }

    @Test func pagesAndBlocksThatStatisticsRuleOutAreSkipped() throws {
        let site = try site()
        let (whole, all) = try read(site, 0...2_000_000)
        #expect(whole.blocks == 2 && whole.blocksSkipped == 0)
        #expect(all.pagesSkipped == 0 && all.pagesSummarised == 0)
        let pages = all.pagesRead / 2
        #expect(pages > 2)
        for descending in [false, true] {
            let (scans, some) = try read(site, 50_000...50_100, descending: descending)
            #expect(scans.blocks == 1 && scans.blocksSkipped == 1)
            #expect(some.pagesRead == 1 && some.pagesSkipped == pages - 1)
            #expect(some.bytes > 0 && some.bytes < all.bytes / pages)
        }
    }

    @Test func aPageWithoutAWantedFieldIsSkipped() throws {
        var site = try PartitionSite()
        try site.write("m,t=a v=1i 1\nm,t=b w=1i 1")
        try site.cut()
        try site.write("m,t=a w=1i 100")
        try site.cut()
        let (scans, cost) = try read(site, 0...1_000, fields: ["v"])
        #expect(scans.blocks == 2)
        #expect(cost.pagesRead == 1)
    }

    @Test func summariesAreTakenInsteadOfPages() throws {
        let site = try site()
        let (_, decoded) = try read(site, 0...2_000_000)
        let (_, summarised) = try read(site, 0...2_000_000, summaries: true)
        #expect(summarised.pagesRead == 0 && summarised.pagesSummarised == decoded.pagesRead)
        #expect(summarised.bytes > 0 && summarised.bytes < decoded.bytes)
    }

    @Test func moreFieldsAreMoreBytes() throws {
        let site = try site()
        let (_, one) = try read(site, 0...2_000_000)
        let (_, two) = try read(site, 0...2_000_000, fields: ["v", "w"])
        #expect(two.pagesRead == one.pagesRead)
        #expect(two.bytes > one.bytes)
    }

    @Test func aHeadCountsEightBytesForEachTimeAndValue() throws {
        var site = try PartitionSite()
        try site.write((0..<100).map { "m,t=a v=\($0)i \($0)" }.joined(separator: "\n"))
        let (scans, cost) = try read(site, 0...1_000)
        #expect(scans.blocks == 0 && cost.pagesRead == 0)
        #expect(cost.bytes == 1_600)
    }

    /// Points in a head and in a block that interleave: both are read, and counted, by the merge.
    @Test func aMergeCountsWhatItsStreamsRead() throws {
        var site = try PartitionSite()
        try site.write((0..<100).map { "m,t=a v=\($0)i \($0 * 2)" }.joined(separator: "\n"))
        try site.cut()
        try site.write((0..<100).map { "m,t=a v=\($0)i \($0 * 2 + 1)" }.joined(separator: "\n"))
        let (scans, cost) = try read(site, 0...1_000)
        #expect(scans.blocks == 1 && scans.parts.count == 1)
        #expect(cost.pagesRead == 1 && cost.bytes > 1_600)
    }
}
