import Search
import Telemetry
import Testing

@Suite struct SearchCatalogTests {
    @Test func partitionsOfATenantAreReadAsOne() throws {
        var sites = [try LineSite(), try LineSite()]
        try sites[0].push("{a=\"2\"}", [(1, "one"), (4, "four")])
        try sites[1].push("{a=\"1\"}", [(2, "two")])
        try sites[1].push("{a=\"2\"}", [(3, "three")])
        try sites[1].cut()
        let catalog = SearchCatalog()
        catalog.add(SearchTenant(name: "z", partitions: [sites[0].partition]))
        catalog.add(SearchTenant(name: "t", partitions: sites.map(\.partition)))
        #expect(catalog.all.map(\.name) == ["t", "z"])
        let tenant = try #require(catalog.tenant("t"))
        #expect(try tenant.texts() == ["one", "two", "three", "four"])
        #expect(try tenant.streams(matching: [], in: .all).map(\.text) == ["{a=\"1\"}", "{a=\"2\"}"])
        let totals = try tenant.totals(TotalsRequest(matchers: [], start: 0, bucketNanoseconds: 9, bucketCount: 1))
        #expect(totals.map { $0.entries.map(\.lines) } == [[1], [3]])
        #expect(tenant.streamEstimate == 3)
        #expect(tenant.metadataNames == [])
        catalog.remove("t")
        #expect(catalog.tenant("t") == nil)
    }
}
