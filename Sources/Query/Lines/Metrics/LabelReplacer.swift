internal import Patterns
internal import Telemetry

/// `label_replace(…)`.
enum LabelReplacer {
    static func apply(_ replacement: LabelReplacement, to matrix: SeriesMatrix) throws(QueryError) -> SeriesMatrix {
        let expander = try PatternExpander(replacement.pattern, template: replacement.replacement)
        var result = matrix
        for index in result.series.indices {
            let labels = result.series[index].labels
            guard let value = expander.expand(labels[replacement.source]) else { continue }
            result.series[index].labels = labels.setting(replacement.target, value)
        }
        return result
    }
}
