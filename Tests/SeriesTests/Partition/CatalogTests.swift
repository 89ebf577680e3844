import Series
import Telemetry
import Testing

@Suite struct CatalogTests {
    @Test func partitionsOfADatabaseAreReadAsOne() throws {
        var sites = [try PartitionSite(), try PartitionSite()]
        try sites[0].write("m,t=b v=1 1\nm,t=a v=1 1\nm v=1 1")
        try sites[1].write("m,t=c v=2 1\nm,t=a v=2 1\nm,t=a w=3i 2\nn v=1 1")
        let catalog = SeriesCatalog()
        catalog.add(SeriesDatabase(name: bytes("z"), partitions: [sites[0].partition]))
        catalog.add(SeriesDatabase(name: bytes("db"), partitions: sites.map(\.partition)))
        #expect(catalog.all.map(\.name) == [bytes("db"), bytes("z")])
        let database = try #require(catalog.database(bytes("db")))
        #expect(try database.measurements(retentionPolicy: nil) == [bytes("m"), bytes("n")])
        let schema = try #require(try database.schema(of: bytes("m"), retentionPolicy: nil))
        #expect(schema.fields.map(\.name) == [bytes("v"), bytes("w")])
        #expect(schema.tagKeys == [bytes("t")])
        #expect(database.seriesEstimate == 6)
        let all = Int64.min...Int64.max
        #expect(
            try database.tagValues(of: bytes("m"), retentionPolicy: nil, key: bytes("t"), matching: .all, in: all)
                == [bytes("a"), bytes("b"), bytes("c")])
        var seen: [[[UInt8]]] = []
        try database.series(of: bytes("m"), retentionPolicy: nil, matching: .all, in: all) { series in
            seen.append(series.tags.map(\.value))
            return seen.count < 3
        }
        #expect(seen == [[], [bytes("a")], [bytes("b")]])
        var request = ScanRequest(measurement: bytes("m"), range: all, fields: [bytes("v"), bytes("w")])
        request.tagKeys = [bytes("t")]
        let rows = try PartitionSite.rows(
            of: try database.scan(request).parts, tagKeys: request.tagKeys, descending: false)
        // Of equal points the later partition's wins.
        #expect(rows.map(\.values[0]) == [1, 2, nil, 1, 2].map { $0.map { .float(Double($0).bitPattern) } })
        catalog.remove(bytes("db"))
        #expect(catalog.database(bytes("db")) == nil)
    }
}
