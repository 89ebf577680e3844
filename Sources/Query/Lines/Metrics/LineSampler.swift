internal import Columns
internal import Search
internal import Telemetry

/// The samples of lines, each through the pipeline.
struct LineSampler {
    private let plan: SamplePlan
    private let stages: StageRunner
    /// Groups by the values of the labels that are grouped by, or by all labels.
    private var groups: [[UInt8]: Int] = [:]
    private var key: [UInt8] = []

    /// The most groups that are known by their values; others take longer.
    private static let maximumKnown = 100_000

    init(_ plan: SamplePlan) throws(QueryError) {
        self.plan = plan
        var wanted = LinePipeline.Wanted.all
        if let grouping = plan.grouping, !grouping.isWithout { wanted = .only(grouping.labels) }
        stages = try StageRunner(plan.lowering.rest, unwrap: plan.aggregation.range.unwrap, wanted: wanted)
    }

    mutating func gather(_ batch: LineBatch, into accumulator: inout RangeAccumulator) throws(QueryError) {
        var metadata = MetadataLabels(batch, tellsLevels: plan.tellsLevels)
        for row in batch.times.indices {
            let own = metadata.labels(row)
            let time = batch.times[row]
            let length: Int? = batch.lines.withString(row) { line in
                stages.run(line, time: time, stream: batch.stream, metadata: own) ? stages.line.count : nil
            }
            guard let length else { continue }
            guard stages.labels.error.isEmpty else {
                throw SampleValue.failure(stages.labels.labels(), stages.labels.error)
            }
            let group = try group(&accumulator)
            if plan.countsLines {
                accumulator.count(group, at: time, lines: 1, bytes: Double(length))
            } else if let sample = stages.sample {
                try accumulator.add(group, at: time, sample)
            }
        }
        try stages.check()
    }

    private mutating func group(_ accumulator: inout RangeAccumulator) throws(QueryError) -> Int {
        guard let grouping = plan.grouping, !grouping.isWithout else {
            var labels = stages.labels.labels()
            // The label that is the sample is none of the series.
            if let unwrap = plan.aggregation.range.unwrap { labels = labels.dropping([unwrap.label]) }
            return try accumulator.group(plan.grouping.map { labels.grouped($0) } ?? labels)
        }
        key.removeAll(keepingCapacity: true)
        for name in grouping.labels {
            stages.labels.withValue(name) { value in
                let size = UInt32(value?.count ?? 0)
                for shift in [24, 16, 8, 0] as [UInt32] { key.append(UInt8(truncatingIfNeeded: size >> shift)) }
                if let value { key.append(contentsOf: value) }
            }
        }
        if let known = groups[key] { return known }
        let labels = StreamLabels(grouping.labels.map { .init($0, stages.labels[$0] ?? "") })
        let group = try accumulator.group(labels)
        if groups.count < Self.maximumKnown { groups[key] = group }
        return group
    }
}
