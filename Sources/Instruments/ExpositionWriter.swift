/// Writes Prometheus' text format (exposition format 0.0.4): families, each followed by its samples.
public struct ExpositionWriter: Sendable {
    /// What was written so far.
    public private(set) var text = ""
    private var name = ""

    /// An empty page.
    public init() {}

    /// Begins a family: its `HELP` and `TYPE` lines. The samples that follow belong to it.
    public mutating func family(_ name: String, help: String, kind: InstrumentKind) {
        self.name = name
        text += "# HELP \(name) "
        appendEscaped(help, quotes: false)
        text += "\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// One sample of the current family.
    public mutating func sample(_ value: Double, labels: [Label] = []) {
        line(suffix: "", labels, number(value))
    }

    /// One sample of the current family.
    public mutating func sample(_ value: some BinaryInteger, labels: [Label] = []) {
        line(suffix: "", labels, "\(value)")
    }

    mutating func instrument(_ instrument: Instrument, labels: [Label]) {
        switch instrument {
        case .counter(let counter):
            if counter.countedPerRendered == 1 { return sample(counter.value, labels: labels) }
            sample(Double(counter.value) / counter.countedPerRendered, labels: labels)
        case .gauge(let gauge): sample(gauge.value, labels: labels)
        case .histogram(let histogram): sample(histogram.snapshot(), labels: labels)
        }
    }

    /// The samples of one histogram of the current family.
    public mutating func sample(_ snapshot: HistogramSnapshot, labels: [Label] = []) {
        var cumulative: UInt64 = 0
        for (index, count) in snapshot.buckets.enumerated() {
            cumulative &+= count
            let bound = index < snapshot.scale.bucketCount ? number(snapshot.scale.bound(index)) : "+Inf"
            line(suffix: "_bucket", labels + [Label("le", bound)], "\(cumulative)")
        }
        line(suffix: "_sum", labels, number(Double(snapshot.sum) / snapshot.scale.recordedPerRendered))
        line(suffix: "_count", labels, "\(cumulative)")
    }

    private mutating func line(suffix: String, _ labels: [Label], _ value: String) {
        text += name
        text += suffix
        if !labels.isEmpty {
            for (index, label) in labels.enumerated() {
                text += index == 0 ? "{" : ","
                text += label.name
                text += "=\""
                appendEscaped(label.value, quotes: true)
                text += "\""
            }
            text += "}"
        }
        text += " \(value)\n"
    }

    private mutating func appendEscaped(_ value: String, quotes: Bool) {
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\"" where quotes: text += "\\\""
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}

private func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
    return "\(value)"
}
