import Log
import Machine
import MillraceTesting
import Testing

@testable import View

/// What an operator meets when files of a view are damaged or gone.
@Suite struct DamagedViewTests {
    private func site() throws -> ViewsSite {
        var settings = ViewSettings()
        settings.cutBytes = 300
        return try ViewsSite(settings)
    }

    /// A topic with 60 records in two blocks, or, after as many cuts, in one that a compaction made of four.
    private func fill(_ site: ViewsSite, cuts: Int = 1) async throws -> (topic: Topic, place: ViewDirectory) {
        let topic = try site.createTopic("metrics.a")
        let view = try site.views.view(of: topic.id, partition: 0)
        let count = 60 / cuts
        for first in stride(from: 0, to: 60, by: count) {
            try site.append((first..<first + count).map { "value \($0)" }, to: topic.partitions[0])
            #expect(try await site.eventually { view.covered == Int64(first + count) })
        }
        let place = ViewDirectory(data: site.directory.path, topicID: topic.id, partition: 0)
        #expect(try await site.eventually { try names(site, place.blocks).count == (cuts == 1 ? 2 : 1) })
        return (topic, place)
    }

    private func names(_ site: ViewsSite, _ directory: String) throws -> [String] {
        try site.machine.files.contents(ofDirectory: directory).sorted()
    }

    private func truncate(_ path: String, _ site: ViewsSite) throws {
        let file = try site.machine.files.open(path, .readWrite)
        try file.truncate(to: 3)
        file.close()
    }

    /// Waits until the view has everything, from the log or from blocks.
    private func settle(_ site: ViewsSite) async throws -> [String]? {
        _ = try await site.views.wait(for: "metrics.a", partition: 0, offset: 59, timeoutMilliseconds: 10_000)
        #expect(try await site.eventually { site.views.status().first?.rebuiltUpTo == nil })
        return site.kind.engine("metrics.a")?.visible.map(\.value)
    }

    @Test(arguments: [true, false])
    func aViewOpensWithoutABlockAndARebuildBringsItBack(isMissing: Bool) async throws {
        let site = try site()
        defer { site.close() }
        let (topic, place) = try await fill(site)
        let block = try place.blocks + "/" + #require(try names(site, place.blocks).first)
        if isMissing { try site.machine.files.remove(block) } else { try truncate(block, site) }
        try site.restart()
        let found = try await settle(site)
        #expect(found?.count == 30)
        let status = try #require(site.views.status().first)
        #expect(status.state == .running)
        #expect(status.damagedBlocks == 1)
        #expect(status.damage?.contains(block) == true)
        // It goes on.
        let partition = try #require(site.log.topic(named: "metrics.a")?.partitions[0])
        let offsets = try site.append(["new"], to: partition)
        _ = try await site.views.view(of: topic.id, partition: 0)
            .waitUntilApplied(offsets, timeoutMilliseconds: 10_000)

        try site.views.rebuild("metrics.a")
        let whole = try await settle(site)
        #expect(whole?.count == 61)
        #expect(site.views.status().first?.damagedBlocks == 0)
    }

    @Test func aViewWithoutASoundManifestIsMadeAnewFromTheLog() async throws {
        let site = try site()
        defer { site.close() }
        let (_, place) = try await fill(site)
        _ = try site.createTopic("metrics.b")
        for name in try names(site, place.manifests) { try truncate(place.manifests + "/" + name, site) }
        try site.restart()
        #expect(site.views.status().map(\.state) == [.failed, .running])
        try site.views.rebuild("metrics.a")
        #expect(try await site.eventually { site.views.status().map(\.state) == [.running, .running] })
        #expect(try await settle(site)?.count == 60)
        #expect(try names(site, ViewDirectory.topic(data: site.directory.path, place.topicID)) == ["0.1"])
        try site.restart()
        #expect(try await settle(site)?.count == 60)
    }

    @Test func aViewThatTheLogCannotReplaceStaysClosed() async throws {
        let site = try site()
        defer { site.close() }
        let (topic, place) = try await fill(site)
        _ = try site.log.deleteRecords([(topic.partitions[0], 10)])[0].get()
        for name in try names(site, place.manifests) { try truncate(place.manifests + "/" + name, site) }
        try site.restart()
        let error = #expect(throws: ViewError.self) { try site.views.rebuild("metrics.a") }
        #expect(error?.message.contains("restore a backup") == true)
        #expect(try names(site, place.blocks).count == 2)
    }

    /// The block that a compaction made must stay, although only the damaged manifest names it.
    @Test func theBlocksOfADamagedManifestAreKept() async throws {
        let site = try site()
        defer { site.close() }
        let (_, place) = try await fill(site, cuts: 2)
        let newest = try #require(try names(site, place.manifests).last)
        try truncate(place.manifests + "/" + newest, site)
        let blocks = try names(site, place.blocks)
        try site.restart()
        #expect(site.views.status().map(\.state) == [.failed])
        #expect(site.views.status()[0].reason?.contains("a later manifest does not verify") == true)
        #expect(try names(site, place.blocks) == blocks)
        try site.views.rebuild("metrics.a")
        #expect(try await site.eventually { site.views.status().map(\.state) == [.running] })
        #expect(try await settle(site)?.count == 60)
    }
}
