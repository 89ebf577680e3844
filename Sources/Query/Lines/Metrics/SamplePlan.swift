internal import Search
internal import Telemetry

/// How the samples of a range aggregation are read.
struct SamplePlan: Sendable {
    /// The cheapest way that gives Loki's answer.
    enum Path: Sendable, Equatable {
        /// From counters, no line is read.
        case totals
        /// From times and columns, no line is restored.
        case columns
        /// Line by line.
        case lines
    }

    let aggregation: RangeAggregation
    let windows: RangeWindows
    /// The labels of the result; nil for all.
    let grouping: Grouping?
    let lowering: SelectorLowering
    let knowledge: LabelKnowledge
    let tellsLevels: Bool
    private(set) var path: Path

    init(
        _ aggregation: RangeAggregation, _ windows: RangeWindows, _ source: any LineSource, tellsLevels: Bool
    ) throws(QueryError) {
        var aggregation = aggregation
        if aggregation.operation == .absentOverTime { aggregation.grouping = Grouping() }
        self.aggregation = aggregation
        self.windows = windows
        self.tellsLevels = tellsLevels
        grouping = aggregation.grouping
        let range = TimeWindow(start: windows.start, end: windows.end)
        knowledge = try source.knowledge(aggregation.range.selector, range, grouping: grouping)
        var selector = aggregation.range.selector
        if Self.needsNoLabels(aggregation) { selector.stages.removeAll(where: Self.isParser) }
        lowering = try SelectorLowering(selector, knowledge)
        path = .lines
        path = choose()
    }

    /// Loki does not parse lines whose labels nobody asks for: no line is malformed then.
    private static func needsNoLabels(_ aggregation: RangeAggregation) -> Bool {
        guard let grouping = aggregation.grouping, !grouping.isWithout, grouping.labels.isEmpty,
            aggregation.range.unwrap == nil
        else { return false }
        return aggregation.range.selector.stages.allSatisfy { stage in
            if case .lineFilter = stage { true } else { isParser(stage) }
        }
    }

    private static func isParser(_ stage: LogStage) -> Bool {
        switch stage {
        case .json, .logfmt: true
        default: false
        }
    }

    /// Whether samples are lines or their bytes.
    var countsLines: Bool {
        switch aggregation.operation {
        case .countOverTime, .rate, .bytesOverTime, .bytesRate, .absentOverTime: aggregation.range.unwrap == nil
        default: false
        }
    }

    /// Whether the lengths of lines matter.
    var countsBytes: Bool { aggregation.operation == .bytesOverTime || aggregation.operation == .bytesRate }

    /// How samples are gathered.
    var kind: RangeAccumulator.Kind {
        if countsLines { return .totals }
        switch aggregation.operation {
        case .quantileOverTime, .rateCounter: return .samples
        default: return .cells
        }
    }

    private func choose() -> Path {
        guard lowering.isDecided, hasKnownUnwrap, hasKnownLabels else { return .lines }
        guard countsLines, lowering.format == nil, isEverything(lowering.condition), windows.buckets.count <= 100_000
        else { return .columns }
        // Counters know streams and levels, no metadata.
        guard let grouping, !grouping.isWithout else { return knowledge.metadata?.isEmpty == true ? .totals : .columns }
        let isCounted = grouping.labels.allSatisfy { name in
            knowledge.allStreams.contains(name) || isLevel(name) || knowledge.metadata?.contains(name) == false
        }
        return isCounted ? .totals : .columns
    }

    private func isEverything(_ condition: LineCondition) -> Bool {
        if case .all = condition { true } else { false }
    }

    private func isLevel(_ name: String) -> Bool {
        name == "detected_level" && tellsLevels && knowledge.metadata?.contains(name) != true
            && !knowledge.someStreams.contains(name)
    }

    /// Whether the sample is a field that columns tell.
    private var hasKnownUnwrap: Bool {
        guard let unwrap = aggregation.range.unwrap else { return true }
        guard unwrap.filters.isEmpty else { return false }
        if case .field = knowledge.origin(of: unwrap.label, behind: lowering.format) { return true }
        return false
    }

    /// Whether the result's labels are those of streams, metadata, levels or single fields.
    private var hasKnownLabels: Bool {
        guard lowering.format != nil else { return true }
        guard let grouping, !grouping.isWithout else { return false }
        return grouping.labels.allSatisfy { name in
            if knowledge.allStreams.contains(name) { return true }
            guard !name.hasPrefix("__"), !name.hasSuffix("_extracted") else { return false }
            return name == "detected_level" || knowledge.metadata?.contains(name) == false
        }
    }

    /// The same, line by line.
    var readingLines: SamplePlan {
        var plan = self
        plan.path = .lines
        return plan
    }

    /// The fields that columns are wanted of: those of the grouping, then the one that is unwrapped.
    var fields: [FieldReference] {
        guard path == .columns, let format = lowering.format else { return [] }
        var names = (grouping?.labels ?? []).filter { !knowledge.allStreams.contains($0) && !isLevel($0) }
        if let unwrap = aggregation.range.unwrap { names.append(unwrap.label) }
        return names.map { FieldReference(format, $0) }
    }

    /// The range that is read.
    var range: TimeWindow { TimeWindow(start: windows.start, end: windows.end) }

    /// What is asked of the source.
    var request: LineRequest {
        var request = LineRequest(matchers: lowering.matchers, range: range)
        request.condition = lowering.condition
        request.wantsLines = path == .lines
        request.wantsLengths = countsBytes && path == .columns
        request.wantsMetadata = path == .lines || lowering.format == nil
        request.fields = fields
        return request
    }
}
