import Search
import Telemetry
import Testing

@Suite struct LineBlockReportTests {
    @Test func bytesGoToFieldsAndAddUp() throws {
        let lines = (0..<500).map { row in
            TestLine(
                time: LineCorpus.start + Int64(row) * 1_000_000, level: .info,
                text: Array("{\"user\":\"u\(row * row % 997)\",\"took\":\(row * 37 % 1_009)}".utf8))
        }
        let block = try LineBlockModel.block([(StreamLabels([.init("app", "a")]), lines)])
        let report = LineBlockReport(block)
        #expect(report.findings.isEmpty)
        #expect(report.bytes.values.reduce(0, +) == report.sizeBytes)
        #expect(report.bytes["field took"] ?? 0 > 50)
        #expect(report.bytes["field user"] ?? 0 > 400)
        #expect(report.bytes["text"] == nil)
        #expect(report.streams.map(\.lines) == [500])
        #expect(report.streams[0].rawBytes == lines.reduce(0) { $0 + $1.text.count })
    }
}
