internal import Columns
internal import Search
internal import Telemetry

/// What Loki's API tells of streams: from the index alone, or from counters.
extension LogQLService {
    /// Which streams, and when.
    public struct Selection: Sendable {
        /// Selectors, of which one holds; none for all streams.
        public var selectors: [String]
        /// The first moment, in nanoseconds.
        public var start: Int64
        /// Times end in front of it.
        public var end: Int64

        /// Assembles a selection.
        public init(_ selectors: [String], start: Int64, end: Int64) {
            (self.selectors, self.start, self.end) = (selectors, start, end)
        }

        var range: TimeWindow { TimeWindow(start: start &- 1, end: end &- 1) }
    }

    /// The matchers of selectors; `{}` holds for every stream.
    private func matchers(_ selection: Selection) throws(LogQLFailure) -> [[LabelMatcher]] {
        var groups: [[LabelMatcher]] = []
        do throws(QueryError) {
            for text in selection.selectors {
                let matchers = try LogQL.parseMatchers(text, needsMatcher: false)
                groups.append(try LineFilterLowering.matchers(matchers))
            }
        } catch {
            running.refuse(.logql, error)
            throw LogQLFailure(400, error.message)
        }
        return groups.isEmpty ? [[]] : groups
    }

    private func streams(
        _ selection: Selection, tenant: String, _ name: String
    ) async throws(LogQLFailure) -> [StreamLabels] {
        let groups = try matchers(selection)
        guard let source = directory.lines(of: tenant) else { return [] }
        return try await run(tenant, { "\(name) \(selection.selectors.joined(separator: " "))" }) {
            (control) async throws(QueryError) in
            var known: Set<StreamLabels> = []
            for group in groups {
                try control.check(points: 0)
                let found = try QueryError.reading { () throws(SearchError) in
                    try source.streams(matching: group, in: selection.range)
                }
                try control.count(series: found.count)
                known.formUnion(found)
            }
            return known.sorted { $0.precedes($1) }
        }
    }

    /// `labels`: the names of labels, sorted.
    public func labels(_ selection: Selection, tenant: String) async throws(LogQLFailure) -> [UInt8] {
        let streams = try await streams(selection, tenant: tenant, "labels")
        return Self.list(Set(streams.flatMap { $0.labels.map(\.name) }))
    }

    /// `label/{name}/values`: the values of a label, sorted.
    public func values(
        of name: String, _ selection: Selection, tenant: String
    ) async throws(LogQLFailure) -> [UInt8] {
        let streams = try await streams(selection, tenant: tenant, "label values")
        return Self.list(Set(streams.map { $0[name] }.filter { !$0.isEmpty }))
    }

    private static func list(_ names: Set<String>) -> [UInt8] {
        var answer = LokiJSON()
        answer.raw("{\"status\":\"success\"")
        // Loki leaves an empty list out.
        if !names.isEmpty {
            answer.raw(",\"data\":")
            answer.strings(names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        }
        answer.raw("}\n")
        return answer.bytes
    }

    /// `series`: the label sets of streams.
    public func series(_ selection: Selection, tenant: String) async throws(LogQLFailure) -> [UInt8] {
        let streams = try await streams(selection, tenant: tenant, "series")
        var answer = LokiJSON()
        answer.raw("{\"status\":\"success\",\"data\":[")
        for (index, stream) in streams.enumerated() {
            if index > 0 { answer.raw(",") }
            answer.object(stream)
        }
        answer.raw("]}")
        return answer.bytes
    }

    /// `detected_labels`: labels and the number of their values, without those whose values are all numbers or UUIDs.
    public func detectedLabels(_ selection: Selection, tenant: String) async throws(LogQLFailure) -> [UInt8] {
        let streams = try await streams(selection, tenant: tenant, "detected_labels")
        var values: [String: Set<String>] = [:]
        for stream in streams { for label in stream.labels { values[label.name, default: []].insert(label.value) } }
        let wellKnown: Set = ["cluster", "namespace", "instance", "pod"]
        let told = values.filter { wellKnown.contains($0.key) || !$0.value.allSatisfy(Self.isIdentifier) }
        var answer = LokiJSON()
        answer.raw("{\"detectedLabels\":[")
        for (index, (name, values)) in told.sorted(by: { $0.key < $1.key }).enumerated() {
            answer.raw(index > 0 ? ",{\"label\":" : "{\"label\":")
            answer.string(name)
            answer.raw(",\"cardinality\":\(values.count)}")
        }
        answer.raw("]}")
        return answer.bytes
    }

    private static func isIdentifier(_ text: String) -> Bool {
        if GoNumber.parse(text) != nil { return true }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { $0.allSatisfy(\.isHexDigit) }
    }

    /// `index/stats`: how much there is of a selector. Chunks are not counted.
    public func statistics(_ selection: Selection, tenant: String) async throws(LogQLFailure) -> [UInt8] {
        let totals = try await totals(selection, tenant: tenant, step: nil)
        var (lines, bytes): (Int64, Int64) = (0, 0)
        for entry in totals.flatMap(\.entries) { (lines, bytes) = (lines + entry.lines, bytes + entry.bytes) }
        let text = "{\"streams\":\(totals.count),\"chunks\":0,\"bytes\":\(bytes),\"entries\":\(lines)}"
        return Array(text.utf8)
    }

    /// Lines and bytes by stream; by `step`, or over all of the time.
    private func totals(
        _ selection: Selection, tenant: String, step: Int64?
    ) async throws(LogQLFailure) -> [StreamTotals] {
        let groups = try matchers(selection)
        guard let source = directory.lines(of: tenant), selection.end > selection.start else { return [] }
        let length = step ?? (selection.end - selection.start)
        let count = (selection.end - selection.start + length - 1) / length
        guard count <= settings.maximumSteps else {
            throw LogQLFailure(
                400,
                "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step "
                    + "parameter")
        }
        return try await run(tenant, { "index \(selection.selectors.joined(separator: " "))" }) {
            (control) async throws(QueryError) in
            try control.check(points: 0)
            let request = TotalsRequest(
                matchers: groups[0], start: selection.range.start, bucketNanoseconds: length, bucketCount: Int(count))
            let totals = try QueryError.reading { () throws(SearchError) in try source.totals(request) }
            try control.count(series: totals.count)
            return totals.filter { !$0.entries.isEmpty }
        }
    }

    /// How the volume of lines is told.
    public struct VolumeRequest: Sendable {
        /// The labels by which streams are united; empty for those that the selector names.
        public var labels: [String] = []
        /// Whether each label with its value is told for itself, instead of sets of labels.
        public var byLabels = false
        /// The most entries: the largest.
        public var limit = 100
        /// The length of a bucket; nil for one number.
        public var step: Int64?

        /// All in one number, by the selector's labels.
        public init() {}
    }

    /// `index/volume` and `index/volume_range`: bytes by labels, the largest first.
    public func volume(
        _ selection: Selection, _ request: VolumeRequest, tenant: String
    ) async throws(LogQLFailure) -> [UInt8] {
        let totals = try await totals(selection, tenant: tenant, step: request.step)
        var named = request.labels
        if named.isEmpty {
            named = try matchers(selection)[0].map(\.name)
        }
        let length = request.step ?? (selection.end - selection.start)
        let count = max(1, Int((selection.end - selection.start + length - 1) / max(1, length)))
        var volumes: [StreamLabels: [Double]] = [:]
        for stream in totals {
            let keys: [StreamLabels] =
                request.byLabels
                ? stream.stream.labels.filter { request.labels.isEmpty || request.labels.contains($0.name) }
                    .map { StreamLabels([.init($0.name, "")]).setting($0.name, $0.name) }
                : [named.isEmpty ? stream.stream : stream.stream.keeping(named)]
            for key in keys {
                for entry in stream.entries {
                    volumes[key, default: [Double](repeating: 0, count: count)][Int(entry.bucket)] += Double(
                        entry.bytes)
                }
            }
        }
        let largest = volumes.map { (key: $0.key, values: $0.value, sum: $0.value.reduce(0, +)) }.sorted {
            $0.sum != $1.sum ? $0.sum > $1.sum : $0.key.precedes($1.key)
        }.prefix(max(1, request.limit))
        var matrix = SeriesMatrix()
        for volume in largest {
            let values = volume.values.map { $0 == 0 ? SeriesMatrix.absent : $0 }
            // By labels a label's name is its value, too: a label without a value is none here.
            matrix.series.append(.init(labels: volume.key, values: values))
        }
        var writer = LogQLResultWriter()
        if let step = request.step {
            let steps = QuerySteps(start: selection.start, end: selection.start + Int64(count - 1) * step, step: step)
            writer.matrix(matrix, steps, LogQLStatistics())
        } else {
            writer.vector(matrix, QuerySteps(at: selection.end), LogQLStatistics())
        }
        return writer.bytes
    }
}

/// JSON, piece by piece.
struct LokiJSON {
    private(set) var bytes: [UInt8] = []

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }
    mutating func string(_ text: String) { JSONText.append(text, to: &bytes) }

    mutating func strings(_ texts: [String]) {
        raw("[")
        for (index, text) in texts.enumerated() {
            if index > 0 { raw(",") }
            string(text)
        }
        raw("]")
    }

    mutating func object(_ labels: StreamLabels) {
        raw("{")
        for (index, label) in labels.labels.enumerated() {
            if index > 0 { raw(",") }
            string(label.name)
            raw(":")
            string(label.value)
        }
        raw("}")
    }
}
