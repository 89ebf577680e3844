import Series
import Testing
import View

@Suite struct HeadMemoryTests {
    /// 12,289 is where the dictionaries have just grown: the most per series. Ten tags of 150 bytes and one point each.
    @Test func aSeriesTakesLessThan400Bytes() throws {
        var site = try PartitionSite()
        let count = 12_289
        for start in stride(from: 0, to: count, by: 5_000) {
            var text = ""
            for host in start..<min(count, start + 5_000) {
                text += """
                    cpu,hostname=host_\(host),region=eu-central-1,datacenter=eu-central-1a,rack=\(host % 100),\
                    os=Ubuntu15.10,arch=x86,team=SF,service=\(host % 20),service_version=1,\
                    service_environment=production v=1i \(host)\n
                    """
            }
            #expect(try site.write(text).isEmpty)
        }
        #expect(site.partition.headBytes / count <= 400)
        #expect(site.partition.headBytes / count >= 150, "the keys alone take more")
        #expect(abs(site.partition.seriesEstimate - count) * 100 <= 3 * count)
    }
}
