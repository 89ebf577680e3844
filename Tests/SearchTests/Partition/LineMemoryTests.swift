import Search
import Telemetry
import Testing
import View

@Suite struct LineMemoryTests {
    /// 98,305 is where the table of lines has just grown: the most per line.
    @Test func aLineTakesLessThan60BytesMoreThanItHas() throws {
        var site = try LineSite()
        let count = 98_305
        var total = 0
        for start in stride(from: 0, to: count, by: 10_000) {
            let records = (start..<min(count, start + 10_000)).map { number in
                let line = bytes("line number \(number) of this test")
                total += line.count
                return LineSite.record("{app=\"\(number % 88)\"}", Int64(number) * 1_000_003, line)
            }
            #expect(try site.append(.init(records: records, time: 1)).isEmpty)
        }
        let overhead = (site.partition.headBytes - total) / count
        #expect(overhead <= 60)
        #expect(overhead >= 32, "a row alone takes more")
        #expect(site.partition.streamEstimate == 88)
    }

    @Test func aStreamTakesLessThanAKibibyte() throws {
        var site = try LineSite()
        let count = 12_289
        let records = (0..<count).map { number in
            LineSite.record(
                "{app=\"checkout\",cluster=\"eu-central-1\",namespace=\"production\",pod=\"checkout-\(number)\"}", 1, []
            )
        }
        #expect(try site.append(.init(records: records, time: 1)).isEmpty)
        #expect(site.partition.headBytes / count <= 1_024)
        #expect(site.partition.headBytes / count >= 200, "the labels alone take more")
        #expect(site.partition.streamEstimate == count)
    }

    /// What is repeated takes no memory but the first time.
    @Test func metadataThatRepeatsIsKeptOnce() throws {
        var site = try LineSite()
        func push(_ start: Int64) throws -> Int {
            let records = (start..<start + 1_000).map {
                LineSite.record("{a=\"1\"}", $0, [], [("trace_id", String(repeating: "x", count: 500))])
            }
            #expect(try site.append(.init(records: records, time: 1)).isEmpty)
            return site.partition.headBytes
        }
        let (first, second) = (try push(0), try push(1_000))
        #expect(second - first < 100 * 1_000)
    }
}
