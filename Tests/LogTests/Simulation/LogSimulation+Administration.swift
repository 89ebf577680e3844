import Log
import Machine
import MillraceTesting
import SimulatedMachine

extension LogSimulation {
    /// Deletes the records of a partition before an offset, which may lie within a batch or beyond the end.
    func deleteRecords(_ name: String, _ index: Int32, before offset: Int64) throws {
        note("delete records of \(name)-\(index) before \(offset)")
        guard topics[name] != nil, let partition = log.topic(named: name)?.partition(index) else { return }
        let (start, end) = (partition.logStartOffset, partition.highWatermark)
        try observe()
        defer {
            // Deletion goes on though a fault keeps it from storing what is known of producers.
            if isTroubled || simulated.isStopped { topics[name]?.partitions[Int(index)].mayForgetProducers() }
        }
        switch log.deleteRecords([(partition, offset)])[0] {
        case .success(let answer):
            // Opening the partition, or syncing what the removal of files depends on, may have moved the watermark.
            let high = partition.highWatermark
            try expect(
                offset == -1 ? (end...high).contains(answer) : answer == max(start, offset) && answer <= high,
                "deleted before \(offset) of \(start)..<\(end): \(answer)")
            try expect(partition.logStartOffset == answer, "begins at \(partition.logStartOffset), told \(answer)")
            try observe()
            topics[name]?.partitions[Int(index)].deleted(before: answer, isPromised: true)
        case .failure(let error):
            let isOutside = offset < -1 || offset > partition.highWatermark
            if error.code == .offsetOutOfRange, isOutside { return }
            let isExpected =
                isTroubled || simulated.isStopped || (wasTroubled && partition.fenceReason != nil)
            try expect(isExpected, "deleting before \(offset) of \(start)..<\(end) failed: \(error)")
            try observe()
            topics[name]?.partitions[Int(index)].deleted(before: partition.logStartOffset, isPromised: false)
        }
    }

    /// Sets a config, or returns it to its default.
    func alterConfig(_ name: String, _ config: String, _ value: String?) throws {
        note("alter \(config) of \(name) to \(value ?? "its default")")
        guard let topic = log.topic(named: name), topics[name] != nil else { return }
        var expected = topic.configs
        expected[config] = value
        let altered: Void? = try attempt("altering \(name)") {
            try log.alterConfigs(of: name, [config: value.map { .set($0) } ?? .reset])
        }
        guard altered != nil else {
            topics[name]?.doubtfulConfigs.append(expected)
            return
        }
        topics[name]?.doubtfulConfigs = []
        topics[name]?.configs = expected
        try expect(log.topic(named: name)?.configs == expected, "\(name) was not changed")
    }

    func createPartitions(_ name: String, total: Int32) throws {
        note("\(total) partitions for \(name)")
        guard let before = log.topic(named: name), topics[name] != nil, total > before.partitions.count else { return }
        let created: Void? = try attempt("adding partitions to \(name)") {
            try log.createPartitions(of: name, total: total)
        }
        guard created != nil else {
            topics[name]?.doubtfulCounts.insert(Int(total))
            return
        }
        let topic = log.topic(named: name)
        try expect(topic?.partitions.count == Int(total), "\(name) did not grow")
        topics[name]?.grow(to: Int(total))
        try observe()
    }

    /// Compares what administration has changed with what a restart has found.
    func checkChanges(_ topic: Topic, _ model: inout TopicModel) throws {
        let counts = model.doubtfulCounts.union([model.partitions.count])
        try expect(
            counts.contains(topic.partitions.count), "topic \(topic.name) has \(topic.partitions.count) partitions")
        let configs = model.doubtfulConfigs + [model.configs]
        try expect(configs.contains(topic.configs), "topic \(topic.name) has the configs \(topic.configs)")
        model.grow(to: topic.partitions.count)
        model.doubtfulCounts = []
        model.configs = topic.configs
        model.doubtfulConfigs = []
    }
}
