import Series
import Telemetry
import Testing
import View

/// What a partition answers after a few lines, whatever of it is in the head and what in blocks.
@Suite struct PartitionTests {
    private func key(_ tags: (String, String)...) -> [UInt8] {
        SeriesKey.encode(tags.map { (bytes($0.0), bytes($0.1)) })
    }

    @Test func linesAreReadBackFromHeadFrozenHeadAndBlocks() throws {
        var site = try PartitionSite()
        #expect(try site.write("cpu,host=a usage=1.5,idle=3i 10\ncpu,host=b usage=2 20\n").isEmpty)
        let expected = [
            ModelRow(key: key(("host", "a")), time: 10, values: [.float(1.5.bitPattern), .integer(3)]),
            ModelRow(key: key(("host", "b")), time: 20, values: [.float(2.0.bitPattern), nil]),
        ]
        func read() throws -> [ModelRow] { try site.rows("cpu", fields: ["usage", "idle"], tagKeys: ["host"]) }
        #expect(try read() == expected)
        site.freeze()
        #expect(try read() == expected)
        try site.commitFrozen()
        #expect(try read() == expected)
        #expect(site.manifest.blocks.count == 1)
        #expect(try site.restart().isEmpty)
        #expect(try read() == expected)
    }

    @Test func theNewestValueOfEachFieldWins() throws {
        var site = try PartitionSite()
        try site.write("m,t=x a=1,b=1 5")
        try site.write("m,t=x a=2 5\nm,t=x c=\"s\" 5")
        let expected = [
            ModelRow(
                key: key(("t", "x")), time: 5,
                values: [.float(2.0.bitPattern), .float(1.0.bitPattern), .string(bytes("s"))])
        ]
        #expect(try site.rows("m", fields: ["a", "b", "c"], tagKeys: ["t"]) == expected)
        try site.cut()
        try site.write("m,t=x b=7 5\nm,t=x b=8 6")
        let rows = try site.rows("m", fields: ["a", "b", "c"], tagKeys: ["t"])
        #expect(rows.count == 2)
        #expect(rows.first?.values[0] == .float(2.0.bitPattern))
        #expect(rows.first?.values[1] == .float(7.0.bitPattern))
    }

    @Test func seriesWrittenInDifferentWaysAreOne() throws {
        var site = try PartitionSite()
        try site.write("m,b=2,a=1 v=1 1\nm,a=1,b=2 v=2 2\nm,a=\\1,b=2 v=3 3\nm,a=1\\,x v=4 4")
        let rows = try site.rows("m", fields: ["v"], tagKeys: ["a", "b"])
        #expect(Set(rows.filter { $0.time < 3 }.map(\.key)) == [key(("a", "1"), ("b", "2"))])
        #expect(rows.first { $0.time == 4 }?.key == key(("a", "1,x")))
    }

    @Test func aFieldKeepsItsType() throws {
        var site = try PartitionSite()
        try site.write("m v=1 1")
        let text =
            "field type conflict: input field \"v\" on measurement \"m\" is type integer, already exists as type float"
        #expect(try site.write("m v=2i,w=3i 2\nm w=1 3").map(\.reason) == [text])
        try site.cut()
        let after = try site.write("m w=5 4\nm v=true 5")
        #expect(after.map(\.reason) == [text.replacing("type integer", with: "type boolean")])
        #expect(after.map(\.position) == [8])
        #expect(after.map(\.content) == [bytes("m v=true 5")])
        try site.command(.dropMeasurement(name: bytes("m")))
        #expect(try site.write("m v=\"now text\" 6").isEmpty)
        #expect(try site.rows("m", fields: ["v"], tagKeys: []).map(\.time) == [6])
    }

    @Test func aDroppedDefaultPolicyIsNamed() throws {
        var site = try PartitionSite()
        var long = RetentionPolicy(
            name: bytes("long"), durationNanoseconds: 0, shardNanoseconds: 3_600_000_000_000, isDefault: true)
        try site.command(.setRetentionPolicy(long))
        try site.command(.dropRetentionPolicy(name: long.name))
        func expectGone() throws {
            #expect(try site.write("m v=1 1").map(\.reason) == ["retention policy not found: long"])
            #expect(site.partition.defaultPolicyName == bytes("long"))
            let error = #expect(throws: SeriesError.self) { try site.rows("m", fields: ["v"], tagKeys: []) }
            #expect(error?.message == "retention policy not found: long")
        }
        try expectGone()
        try site.cut()
        _ = try site.restart()
        try expectGone()
        long.isDefault = false
        try site.command(.setRetentionPolicy(long))
        #expect(try site.write("m v=1 1").isEmpty)
        #expect(try site.rows("m", fields: ["v"], tagKeys: []).count == 1)
    }

    @Test func pointsBeyondTheRetentionPolicyAreRefused() throws {
        var site = try PartitionSite()
        let hour: Int64 = 3_600_000_000_000
        try site.command(
            .setRetentionPolicy(
                RetentionPolicy(
                    name: bytes("short"), durationNanoseconds: hour, shardNanoseconds: hour, isDefault: false)))
        let now: Int64 = 10 * 3_600_000
        let rejections = try site.write(
            "m v=1 \(10 * hour - hour - 1)\nm v=1 \(10 * hour - hour)", rp: "short", now: now)
        #expect(rejections.map(\.reason) == ["points beyond retention policy"])
        #expect(try site.write("m v=1 1", now: now).isEmpty)
        #expect(try site.write("m v=1 1", rp: "none").map(\.reason) == ["retention policy not found: none"])
        try site.cut()
        #expect(try !site.compact(now: now))
        #expect(try site.compact(now: now + 2 * 3_600_000))
        #expect(try site.rows("m", rp: "short", fields: ["v"], tagKeys: []).isEmpty)
        #expect(try site.rows("m", fields: ["v"], tagKeys: []).count == 1)
    }

    @Test func boundsOnCardinalityNameWhatBrokeThem() throws {
        var site = try PartitionSite()
        var limits = SeriesLimits()
        limits.maximumTagValues = 2
        limits.maximumSeries = 3
        limits.maximumMeasurements = 2
        limits.maximumFields = 2
        try site.command(.setLimits(limits))
        try site.write("m,t=a v=1 1\nm,t=b v=1 1")
        let third = try site.write("m,t=c v=1 1\nm,t=a v=1 2")
        #expect(
            third.map(\.reason) == [
                "max-values-per-tag limit exceeded (2/2): measurement=\"m\" tag=\"t\" value=\"c\""
            ])
        try site.cut()
        try site.write("m,t=a,u=x v=1 1")
        let beyond = try site.write("m,t=b,u=x v=1 1\nm,t=b v=1,w=2,x=3 5\no v=1 5\nm,t=b v=1 6")
        #expect(
            beyond.map(\.reason) == [
                "max-series-per-database limit exceeded: (3), most values: measurement=\"m\" tag=\"t\" (2)",
                "max-fields-per-measurement limit exceeded: (2): measurement=\"m\" field=\"x\"",
                "max-series-per-database limit exceeded: (3), most values: measurement=\"m\" tag=\"t\" (2)",
            ])
        #expect(site.partition.seriesEstimate == 3)
        try site.command(.dropMeasurement(name: bytes("m")))
        #expect(site.partition.seriesEstimate == 0)
        #expect(
            try site.write("p v=1 1\nq v=1 1").map(\.reason) == [
                "max-measurements-per-database limit exceeded: (2): measurement=\"q\""
            ])
    }

    @Test func timesOfAnyAgeMakeABoundedNumberOfBlocks() throws {
        var site = try PartitionSite()
        let week: Int64 = 7 * 86_400_000_000_000
        let ends = [Int64.min + 2, Int64.max - 1]
        let times = ends + (0..<1_500).map { ($0 - 700) * 3 * week }
        #expect(try site.write(times.map { "m v=1 \($0)\n" }.joined()).isEmpty)
        try site.cut()
        #expect(site.manifest.blocks.count > 256)
        #expect(site.manifest.blocks.count <= 512)
        #expect(try site.rows("m", fields: ["v"], tagKeys: []).map(\.time) == times.sorted())
    }

    @Test func tagKeysAreBounded() throws {
        var site = try PartitionSite()
        var refused: [String] = []
        for start in stride(from: 0, to: 5_000, by: 1_000) {
            let lines = (start..<start + 1_000).map { "m,key\($0)=x v=1 1\n" }.joined()
            refused += try site.write(lines).map(\.reason)
        }
        #expect(refused.count == 5_000 - 4_096)
        #expect(
            refused.first
                == "max-tag-keys-per-measurement limit exceeded: (4096): measurement=\"m\" tag=\"key4096\"")
        #expect(try site.write("m,key7=x v=1 2").isEmpty)
    }

    /// Beyond 1,024 series the count is an estimate; whether a series is known is looked up.
    @Test func atTheBoundKnownSeriesGoOn() throws {
        var site = try PartitionSite()
        var limits = SeriesLimits()
        limits.maximumSeries = 1_500
        try site.command(.setLimits(limits))
        func lines(_ time: Int) -> String { (0..<1_800).map { "m,a=\($0 / 40),b=\($0 % 40) v=1 \(time)\n" }.joined() }
        let refused = try site.write(lines(1)).map(\.position)
        #expect((1_800 - 1_545...1_800 - 1_455).contains(refused.count))
        let first = try site.rows("m", fields: ["v"], tagKeys: ["a", "b"]).count
        #expect(first == 1_800 - refused.count)
        for time in 2...3 {
            try site.cut()
            #expect(try site.write(lines(time)).map(\.position) == refused)
        }
        #expect(try site.rows("m", fields: ["v"], tagKeys: ["a", "b"]).count == 3 * first)
    }
}
