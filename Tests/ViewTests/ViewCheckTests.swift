import Log
import Machine
import MillraceTesting
import Testing

@testable import View

@Suite struct ViewCheckTests {
    private func check(_ site: ViewsSite) throws -> LogReport {
        var report = try LogCheck.run(directory: site.directory.path, machine: site.machine)
        try ViewCheck.run(directory: site.directory.path, machine: site.machine, into: &report)
        return report
    }

    @Test func whatIsWrongIsTold() async throws {
        var settings = ViewSettings()
        settings.cutBytes = 300
        let site = try ViewsSite(settings)
        let topic = try site.createTopic("metrics.a")
        try site.append((0..<60).map { "value \($0)" }, to: topic.partitions[0])
        let view = try site.views.view(of: topic.id, partition: 0)
        #expect(try await site.eventually { view.covered == 60 })
        site.close()
        #expect(try check(site).isSound)
        let place = ViewDirectory(data: site.directory.path, topicID: topic.id, partition: 0)
        let files = site.machine.files
        let name = try #require(try files.contents(ofDirectory: place.blocks).first)
        let file = try files.open(place.blocks + "/" + name, .readWrite)
        try [UInt8(ascii: "?")].withUnsafeBytes { try file.write($0, at: 3) }
        file.close()
        try files.open(place.blocks + "/00000000000000009999.block", .create).close()
        let report = try check(site)
        #expect(!report.isSound)
        #expect(report.findings.map(\.severity) == [.damage, .notice])
        #expect(report.findings.first?.message.contains("checksum") == true)
        try files.remove(place.manifests + "/00000000000000000001.manifest")
        try files.open(place.manifests + "/00000000000000000007.manifest", .create).close()
        #expect(try check(site).findings.first?.severity == .damage)
    }
}
