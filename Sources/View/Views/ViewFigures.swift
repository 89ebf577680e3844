public import Instruments

/// The views' figures, read at each rendering of the metrics.
extension Views {
    /// Topics that are told one by one; the rest is summed up as `other`.
    private static let maximumTopics = 500

    /// Adds the figures to a registry.
    public func register(in registry: InstrumentRegistry) {
        registry.addCollector { [weak self] in self?.write(&$0) }
    }

    private func write(_ writer: inout ExpositionWriter) {
        let statuses = status()
        let names = Set(statuses.map(\.topic)).sorted()
        let told = Set(names.prefix(Self.maximumTopics))
        let topics = Dictionary(grouping: statuses) { told.contains($0.topic) ? $0.topic : "other" }
            .sorted { $0.key < $1.key }
        func gauge(_ name: String, _ help: String, _ value: (ViewStatus) -> Int64) {
            writer.family(name, help: help, kind: .gauge)
            for (topic, all) in topics {
                writer.sample(all.reduce(0) { $0 + value($1) }, labels: [Label("topic", topic)])
            }
        }
        func counter(_ name: String, _ help: String, _ value: (ViewStatus) -> UInt64) {
            writer.family(name, help: help, kind: .counter)
            for (topic, all) in topics {
                writer.sample(all.reduce(0) { $0 + value($1) }, labels: [Label("topic", topic)])
            }
        }
        gauge("millrace_view_lag_records", "Records that are readable and not applied, by topic.") { $0.lagRecords }
        gauge("millrace_view_lag_bytes", "About the log bytes of those, by topic.") { $0.lagBytes }
        gauge("millrace_view_hold_bytes", "Log bytes that no manifest covers, by topic.") { $0.holdBytes }
        gauge("millrace_view_hold_limit_bytes", "At how many of those appends are refused, by topic.") {
            $0.holdLimitBytes
        }
        gauge("millrace_view_head_bytes", "Memory of the heads, by topic.") { Int64($0.headBytes) }
        gauge("millrace_view_blocks", "Blocks, by topic.") { Int64($0.blocks) }
        gauge("millrace_view_block_bytes", "Bytes of the blocks, by topic.") { $0.blockBytes }
        counter("millrace_view_records_total", "Records that were applied, by topic.") { $0.records }
        counter("millrace_view_rejected_total", "Points or lines that were refused, by topic.") { $0.rejected }
        counter("millrace_view_cuts_total", "Heads that were cut, by topic.") { $0.cuts }
        counter("millrace_view_commits_total", "Manifests that were committed, by topic.") { $0.commits }
        writeStates(&writer, statuses)
    }

    private func writeStates(_ writer: inout ExpositionWriter, _ statuses: [ViewStatus]) {
        writer.family("millrace_view_partitions", help: "Views of partitions, by what they do.", kind: .gauge)
        for state in ViewStatus.State.allCases {
            writer.sample(statuses.count { $0.state == state }, labels: [Label("state", state.rawValue)])
        }
        writer.family("millrace_view_rebuilding", help: "Views of partitions that are being rebuilt.", kind: .gauge)
        writer.sample(statuses.count { $0.rebuiltUpTo != nil })
        writer.family(
            "millrace_view_rejections_total", help: "Rejections, by what became of them in topics rejected.…",
            kind: .counter)
        writer.sample(rejectionsWritten, labels: [Label("outcome", "written")])
        writer.sample(rejectionsDropped, labels: [Label("outcome", "dropped")])
    }
}
