import Groups
import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

/// Groups commit what they have read while a backup is made, topics come and go, the offsets' topic is rewritten: what
/// is restored fits together. `MILLRACE_SEED=n` replays one life.
@Suite struct BackupGroupTests {
    private static let topics = ["a", "b", "c"]

    /// What was acknowledged when the backup began.
    private struct Known {
        var offsets: [GroupTopicPartition: [String: Int64]] = [:]
        var ids: [String: Uuid] = [:]
        var ends: [GroupTopicPartition: Int64] = [:]
    }

    @Test func committedOffsetsFitTheRecords() throws {
        for seed in SimulationSeeds.chosen(60) {
            do {
                try life(seed)
            } catch {
                Issue.record("MILLRACE_SEED=\(seed): \(error)")
                return
            }
        }
    }

    private func life(_ seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        let site = try GroupSite(seed: seed) { $0.rewriteBytes = 4_000 }
        for name in Self.topics {
            _ = try site.log.createTopic(name, partitions: 2, configs: ["segment.bytes": "1000"])
        }
        for _ in 0..<60 { try step(site, &chance) }
        site.flush()
        let known = try known(site)
        let backup = BackupSite(site.site)
        var making = try backup.begin()
        while try making.step() {
            for _ in 0..<chance.upTo(12) { try step(site, &chance) }
        }
        try expect(making.report.findings.isEmpty, "damage: \(making.report.findings)")
        let restored = try backup.restore()
        let check = try LogCheck.run(directory: "/restored", machine: site.site.simulation.machine)
        try expect(check.findings.allSatisfy { $0.severity == .notice }, "check: \(check.findings)")
        let log = try backup.open(restored)
        let groups = GroupCoordinator(log: log, settings: site.settings)
        groups.forgetUnknownTopics()
        log.flushDirty()
        for name in Self.topics {
            for index in 0..<2 as Range<Int32> {
                try compare(GroupTopicPartition(topic: name, partition: index), known, site, log, groups)
            }
        }
        try expect(restored.messages().allSatisfy { $0.contains("there is no topic") }, "\(restored.messages())")
        groups.stop()
        log.close()
    }

    private func compare(
        _ place: GroupTopicPartition, _ known: Known, _ site: GroupSite, _ log: CommitLog, _ groups: GroupCoordinator
    ) throws {
        let topic = log.topic(named: place.topic)
        let end = topic?.partition(place.partition)?.logEndOffset ?? 0
        let isSame = topic.map { $0.id == known.ids[place.topic] } ?? false
        let stayed = site.log.topic(named: place.topic)?.id == known.ids[place.topic] && known.ids[place.topic] != nil
        try expect(isSame || !stayed, "\(place.topic) is not in the backup")
        if isSame {
            try expect(end >= known.ends[place] ?? 0, "\(place) ends at \(end), not \(known.ends[place] ?? 0)")
        }
        for group in ["g0", "g1", "g2"] {
            let offset = groups.committedOffset(groupID: group, place)?.offset
            if let offset {
                try expect(
                    topic != nil && offset <= end, "\(group) committed \(offset) of \(place), which ends at \(end)")
            }
            if isSame, let earlier = known.offsets[place]?[group] {
                try expect(
                    offset ?? -1 >= earlier, "\(group) committed \(earlier) of \(place), the backup has \(offset ?? -1)"
                )
            }
        }
    }

    private func known(_ site: GroupSite) throws -> Known {
        var known = Known()
        for topic in site.log.topics() {
            known.ids[topic.name] = topic.id
            for partition in topic.partitions {
                let place = GroupTopicPartition(topic: topic.name, partition: partition.index)
                known.ends[place] = partition.highWatermark
                for group in ["g0", "g1", "g2"] {
                    known.offsets[place, default: [:]][group] = site.committed(group, topic.name, partition.index)
                }
            }
        }
        return known
    }

    private func step(_ site: GroupSite, _ chance: inout SeededGenerator) throws {
        let name = Self.topics[chance.upTo(2)]
        let index = Int32(chance.upTo(1))
        switch chance.upTo(20) {
        case 0..<8:
            let text = String(repeating: "x", count: 1 + chance.upTo(300))
            _ = try site.log.topic(named: name)?.partition(index)?.append(batch([text]))
        case 8..<15:
            // A consumer commits no more than it could read.
            guard let end = site.log.topic(named: name)?.partition(index)?.highWatermark else { return }
            let group = "g\(chance.upTo(2))"
            let committed = site.committed(group, name, index) ?? 0
            guard end >= committed else { return }
            _ = site.commit(group, name, index, committed + Int64(chance.upTo(Int(end - committed))))
        case 15..<17: site.flush()
        case 17: site.log.checkpoint()
        case 18: site.groups.rewriteIfDue()
        case 19: site.log.enforceRetention()
        default:
            if let topic = site.log.topic(named: name) {
                try site.log.deleteTopic(topic.id)
                site.groups.forgetTopic(name)
                if chance.coin() { return }
            }
            _ = try site.log.createTopic(name, partitions: 2, configs: ["segment.bytes": "1000"])
        }
    }
}
