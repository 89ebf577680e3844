import Synchronization

/// A label's name and value.
public struct Label: Sendable, Hashable {
    /// The name, in Prometheus' alphabet: a letter or `_`, then letters, digits and `_`.
    public let name: String
    /// The value: any text; it is escaped when rendered.
    public let value: String

    /// Assembles a label.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Every instrument of the process, by name and labels.
///
/// Labels are resolved once: the caller holds the instrument that it got. Asking twice for the same name and labels
/// gives the same instrument. A family (one name) has at most `maximumChildren` sets of labels: what comes later
/// shares one child whose label values are all `other`, and is counted in `millrace_instruments_refused_total`.
/// A name that is malformed, or used for two kinds, is a bug and traps.
public final class InstrumentRegistry: Sendable {
    /// How many sets of labels one name can have before `other`. The default is 2,000: at about 100 bytes per line
    /// this keeps a page of plain families in the hundreds of kilobytes.
    public let maximumChildren: Int
    private let state = Mutex(State())
    private let refused = Counter()

    /// An empty registry.
    public init(maximumChildren: Int = 2_000) {
        precondition(maximumChildren > 0)
        self.maximumChildren = maximumChildren
    }

    /// The counter of this name and these labels. Names of counters end in `_total`; those that count nanoseconds in
    /// `_seconds_total`, with 1e9 `countedPerRendered`.
    public func counter(
        _ name: String, help: String, countedPerRendered: Double = 1, labels: [Label] = []
    ) -> Counter {
        let child = child(name, help, .counter, labels) {
            .counter(Counter(countedPerRendered: countedPerRendered))
        }
        guard case .counter(let counter) = child else { preconditionFailure("\(name) is not a counter") }
        return counter
    }

    /// The gauge of this name and these labels.
    public func gauge(_ name: String, help: String, labels: [Label] = []) -> Gauge {
        let child = child(name, help, .gauge, labels) { .gauge(Gauge()) }
        guard case .gauge(let gauge) = child else { preconditionFailure("\(name) is not a gauge") }
        return gauge
    }

    /// The histogram of this name and these labels. Names tell the rendered unit: `_seconds`, `_bytes`.
    public func histogram(
        _ name: String, help: String, scale: HistogramScale = .latency, labels: [Label] = []
    ) -> Histogram {
        let child = child(name, help, .histogram, labels) { .histogram(Histogram(scale: scale)) }
        guard case .histogram(let histogram) = child, histogram.scale == scale else {
            preconditionFailure("\(name) is not a histogram of this scale")
        }
        return histogram
    }

    /// Stops rendering the children of a name that carry this label, such as those of a deleted topic. Handles that
    /// are still held keep working; their values are no longer seen.
    public func remove(_ name: String, with label: Label) {
        state.withLock { state in
            guard let index = state.index[name] else { return }
            state.families[index].children.removeAll { $0.labels.contains(label) }
            state.families[index].byLabels = state.families[index].byLabels.filter { !$0.key.contains(label) }
        }
    }

    /// Adds what is read at each rendering rather than counted: sizes, uptime, capacity. `collect` writes whole
    /// families, under names that nothing else uses, and bounds their number itself. It must not block for long.
    public func addCollector(_ collect: @escaping @Sendable (inout ExpositionWriter) -> Void) {
        state.withLock { $0.collectors.append(collect) }
    }

    /// Everything as Prometheus text (exposition format 0.0.4), in order of registration, then the collectors.
    public func render() -> String {
        let (families, collectors) = state.withLock { ($0.families, $0.collectors) }
        var writer = ExpositionWriter()
        for family in families {
            writer.family(family.name, help: family.help, kind: family.kind)
            for child in family.children { writer.instrument(child.instrument, labels: child.labels) }
        }
        writer.family(
            "millrace_instruments_refused_total",
            help: "Sets of labels that were merged into `other` because their family was full.", kind: .counter)
        writer.sample(refused.value)
        for collect in collectors { collect(&writer) }
        return writer.text
    }

    private func child(
        _ name: String, _ help: String, _ kind: InstrumentKind, _ labels: [Label], make: () -> Instrument
    ) -> Instrument {
        precondition(isMetricName(name) && labels.allSatisfy { isLabelName($0.name) }, "malformed name: \(name)")
        return state.withLock { state in
            let family = state.family(name, help, kind)
            if let known = state.families[family].byLabels[labels] { return known }
            var labels = labels
            if !labels.isEmpty && state.families[family].children.count >= maximumChildren {
                refused.add()
                labels = labels.map { Label($0.name, "other") }
                if let known = state.families[family].byLabels[labels] { return known }
            }
            let instrument = make()
            state.families[family].byLabels[labels] = instrument
            state.families[family].children.append(Child(labels: labels, instrument: instrument))
            return instrument
        }
    }
}

/// What a family's samples mean.
public enum InstrumentKind: String, Sendable {
    /// Only goes up.
    case counter
    /// Goes up and down.
    case gauge
    /// Counts per bucket, their count and sum.
    case histogram
}

enum Instrument: Sendable {
    case counter(Counter)
    case gauge(Gauge)
    case histogram(Histogram)
}

private struct Child: Sendable {
    let labels: [Label]
    let instrument: Instrument
}

private struct Family: Sendable {
    let name: String
    let help: String
    let kind: InstrumentKind
    var children: [Child] = []
    var byLabels: [[Label]: Instrument] = [:]
}

private struct State: Sendable {
    var families: [Family] = []
    var index: [String: Int] = [:]
    var collectors: [@Sendable (inout ExpositionWriter) -> Void] = []

    mutating func family(_ name: String, _ help: String, _ kind: InstrumentKind) -> Int {
        if let known = index[name] {
            precondition(families[known].kind == kind, "\(name) is a \(families[known].kind)")
            return known
        }
        index[name] = families.count
        families.append(Family(name: name, help: help, kind: kind))
        return families.count - 1
    }
}

private func isMetricName(_ name: String) -> Bool {
    isLabelName(name.filter { $0 != ":" }) && name.utf8.first != UInt8(ascii: ":")
}

private func isLabelName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
