internal import Columns
internal import Search
internal import Telemetry

/// The samples of lines, each through the pipeline.
struct LineSampler {
    private let plan: SamplePlan
    private let stages: StageRunner
    private var groups: [RowLabels: Int] = [:]

    init(_ plan: SamplePlan) throws(QueryError) {
        self.plan = plan
        stages = try StageRunner(plan.lowering.rest)
    }

    mutating func gather(_ batch: LineBatch, into accumulator: inout RangeAccumulator) throws(QueryError) {
        var metadata = MetadataLabels(batch, tellsLevels: plan.tellsLevels)
        for row in batch.times.indices {
            let own = metadata.labels(row)
            let staged = batch.lines.withString(row) { line in
                stages.run(line, time: batch.times[row], stream: batch.stream, metadata: own)
            }
            guard let staged else { continue }
            try take(staged, at: batch.times[row], into: &accumulator)
        }
        try stages.check()
    }

    private mutating func take(
        _ staged: StagedLine, at time: Int64, into accumulator: inout RangeAccumulator
    ) throws(QueryError) {
        let labels = staged.labels
        let error = labels.parsed["__error__"]
        guard error.isEmpty else { throw SampleValue.failure(labels.all, error) }
        guard let unwrap = plan.aggregation.range.unwrap else {
            let group = try group(labels, except: nil, &accumulator)
            return accumulator.count(group, at: time, lines: 1, bytes: Double(staged.line.count))
        }
        let all = labels.all
        let text = all[unwrap.label]
        guard !text.isEmpty else { return }
        guard let number = Array(text.utf8).withUnsafeBytes({ SampleValue.convert($0, unwrap.conversion) }) else {
            throw SampleValue.failure(all)
        }
        let group = try group(labels, except: unwrap.label, &accumulator)
        try accumulator.add(group, at: time, number)
    }

    private mutating func group(
        _ labels: RowLabels, except unwrapped: String?, _ accumulator: inout RangeAccumulator
    ) throws(QueryError) -> Int {
        if unwrapped == nil, let known = groups[labels] { return known }
        var all = labels.all
        if let unwrapped, plan.grouping?.isWithout ?? true { all = all.dropping([unwrapped]) }
        let group = try accumulator.group(plan.grouping.map { all.grouped($0) } ?? all)
        if unwrapped == nil, groups.count < 100_000 { groups[labels] = group }
        return group
    }
}
