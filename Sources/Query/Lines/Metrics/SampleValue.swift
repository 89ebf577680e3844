internal import Telemetry

/// Samples that are none.
enum SampleValue {
    /// Loki's refusal of samples with errors.
    static func failure(_ labels: StreamLabels, _ name: String = "SampleExtractionErr") -> QueryError {
        QueryError(
            .execution,
            "pipeline error: '\(name)' for series: '\(labels.goText)'.\nUse a label filter to intentionally skip this "
                + "error. (e.g | __error__!=\"\(name)\").\nTo skip all potential errors you can match empty errors."
                + "(e.g __error__=\"\")\nThe label filter can also be specified after unwrap. "
                + "(e.g | unwrap latency | __error__=\"\" )\n")
    }
}

extension StreamLabels {
    /// `{a="x", b="y"}`, as Prometheus's programs write labels.
    var goText: String {
        "{" + labels.map { $0.name + "=" + QuotedText.quote($0.value) }.joined(separator: ", ") + "}"
    }
}
