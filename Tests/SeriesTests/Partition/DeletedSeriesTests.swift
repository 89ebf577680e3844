import Series
import Testing

/// A measurement goes with its last series, wherever its points are.
@Suite struct DeletedSeriesTests {
    /// Where the points are when they are deleted.
    enum Place: CaseIterable { case head, frozenHead, block, headAndBlock }

    private func site(_ place: Place) throws -> PartitionSite {
        var site = try PartitionSite()
        try site.write("m,t=a v=1 1\nm,t=b v=1 2\nm,t=b v=1 3\nn w=1 1")
        switch place {
        case .head: break
        case .frozenHead: site.freeze()
        case .block: try site.cut()
        case .headAndBlock:
            try site.cut()
            try site.write("m,t=a x=1 4")
        }
        return site
    }

    private func delete(_ values: [String], range: ClosedRange<Int64> = .min ... .max) -> SeriesCommand {
        .delete(
            DeletePredicate(
                measurements: [bytes("m")], tags: [.init(key: bytes("t"), values: values.map(bytes))], range: range,
                dropsSeries: range == .min ... .max))
    }

    private func names(_ site: PartitionSite) throws -> [[UInt8]] {
        let names = try site.partition.measurements(retentionPolicy: nil)
        // Both say the same.
        for name in [bytes("m"), bytes("n")] {
            let schema = try site.partition.schema(of: name, retentionPolicy: nil)
            #expect((schema != nil) == names.contains(name))
        }
        return names
    }

    @Test(arguments: Place.allCases)
    func aMeasurementGoesWithItsLastSeries(place: Place) throws {
        var site = try site(place)
        try site.command(delete(["a"]))
        #expect(try names(site) == [bytes("m"), bytes("n")])
        try site.command(delete(["b"]))
        #expect(try names(site) == [bytes("n")])
        try site.cut()
        #expect(try names(site) == [bytes("n")])
        try site.write("m,t=b v=2 5")
        #expect(try names(site) == [bytes("m"), bytes("n")])
        try site.cut()
        #expect(try names(site) == [bytes("m"), bytes("n")])
    }

    @Test(arguments: Place.allCases)
    func aMeasurementGoesWithItsLastPoint(place: Place) throws {
        var site = try site(place)
        try site.command(delete(["a", "b"], range: 1...2))
        #expect(try names(site) == [bytes("m"), bytes("n")])
        try site.command(delete(["a", "b"], range: 1...4))
        #expect(try names(site) == [bytes("n")])
    }
}
