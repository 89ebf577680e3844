import Groups
import Instruments
import Log

/// What consumer groups do, read at each rendering of the metrics.
struct GroupFigures: Sendable {
    private let groups: GroupCoordinator
    /// Partitions whose lag is told one by one.
    private let maximumLags: Int

    init(groups: GroupCoordinator, maximumLags: Int) {
        self.groups = groups
        self.maximumLags = maximumLags
    }

    /// Adds the figures to a registry.
    func register(in registry: InstrumentRegistry) {
        registry.addCollector(write)
    }

    private func write(_ writer: inout ExpositionWriter) {
        writer.family("millrace_groups", help: "Consumer groups, by state.", kind: .gauge)
        let counts = groups.groupCounts()
        for state in GroupState.allCases where state != .dead {
            writer.sample(counts[state] ?? 0, labels: [Label("state", state.rawValue)])
        }
        let waiting = groups.waitingMembers()
        writer.family(
            "millrace_group_waiting_members", help: "Members of groups that wait for an answer, by request.",
            kind: .gauge)
        writer.sample(waiting.joins, labels: [Label("request", "join")])
        writer.sample(waiting.syncs, labels: [Label("request", "sync")])
        writer.family("millrace_group_rebalances_total", help: "Rebalances of consumer groups.", kind: .counter)
        writer.sample(groups.rebalances.value)
        writer.family(
            "millrace_group_offsets_committed_total", help: "Offsets that groups committed, synced.", kind: .counter)
        writer.sample(groups.commits.value)
        writer.family(
            "millrace_group_offsets_expired_total", help: "Offsets of groups forgotten because of their age.",
            kind: .counter)
        writer.sample(groups.expiredOffsets.value)
        writeLags(&writer)
    }

    private func writeLags(_ writer: inout ExpositionWriter) {
        var told = 0
        var rest = (partitions: 0, records: Int64(0))
        writer.family(
            "millrace_group_lag",
            help: "Records from a group's committed offset to the high watermark, by group, topic and partition.",
            kind: .gauge)
        groups.forEachLag { group, lags in
            for lag in lags {
                guard told < maximumLags else {
                    rest.partitions += 1
                    rest.records &+= lag.records
                    continue
                }
                told += 1
                writer.sample(
                    lag.records,
                    labels: [
                        Label("group", group), Label("topic", lag.place.topic),
                        Label("partition", "\(lag.place.partition)"),
                    ])
            }
        }
        writer.family(
            "millrace_group_lag_untold_partitions",
            help: "Partitions of groups whose lag is not told one by one: --metrics-lag-partitions.", kind: .gauge)
        writer.sample(rest.partitions)
        writer.family(
            "millrace_group_lag_untold", help: "The lag of these partitions together, in records.", kind: .gauge)
        writer.sample(rest.records)
    }
}
