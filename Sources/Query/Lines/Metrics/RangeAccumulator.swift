internal import Telemetry

/// What is gathered of the windows of some groups.
struct RangeAccumulator {
    /// How samples are gathered.
    enum Kind {
        /// Numbers of lines and of bytes: sums of whole numbers, added where they begin and taken away where they end.
        case totals
        /// A cell per window.
        case cells
        /// All samples, until the end.
        case samples
    }

    /// What is known of one window.
    struct Cell {
        var count = 0.0
        var sum = 0.0
        var mean = 0.0
        var deviation = 0.0
        var least = Double.infinity
        var greatest = -Double.infinity
        var first = SeriesMatrix.absent
        var last = SeriesMatrix.absent
        var firstTime = Int64.max
        var lastTime = Int64.min
    }

    /// A moment and a number.
    struct Sample {
        var time: Int64
        var value: Double
    }

    let kind: Kind
    let windows: RangeWindows
    private let control: QueryControl
    private(set) var labels: [StreamLabels] = []
    private var groups: [StreamLabels: Int] = [:]
    private var lines: [Double] = []
    private var bytes: [Double] = []
    private var cells: [Cell] = []
    private var samples: [[Sample]] = []
    private var keptSamples = 0

    init(_ kind: Kind, _ windows: RangeWindows, _ control: QueryControl) {
        (self.kind, self.windows, self.control) = (kind, windows, control)
    }

    /// The number of a group, made if there is none.
    mutating func group(_ key: StreamLabels) throws(QueryError) -> Int {
        if let known = groups[key] { return known }
        let steps = windows.steps.count
        let perStep = kind == .totals ? 16 : kind == .cells ? MemoryLayout<Cell>.stride : 0
        try control.keep(bytes: perStep * (steps + 1) + 256)
        let number = labels.count
        groups[key] = number
        labels.append(key)
        switch kind {
        case .totals:
            lines += repeatElement(0, count: steps + 1)
            bytes += repeatElement(0, count: steps + 1)
        case .cells: cells += repeatElement(Cell(), count: steps)
        case .samples: samples.append([])
        }
        return number
    }

    /// Counts lines and their bytes.
    @inline(__always)
    mutating func count(_ group: Int, at time: Int64, lines number: Double, bytes size: Double) {
        let steps = windows.holding(time)
        guard !steps.isEmpty else { return }
        let base = group &* (windows.steps.count &+ 1)
        lines[base &+ steps.lowerBound] += number
        lines[base &+ steps.upperBound] -= number
        bytes[base &+ steps.lowerBound] += size
        bytes[base &+ steps.upperBound] -= size
    }

    /// Takes a sample.
    mutating func add(_ group: Int, at time: Int64, _ value: Double) throws(QueryError) {
        if kind == .samples {
            samples[group].append(Sample(time: time, value: value))
            keptSamples += 1
            if keptSamples & 0xFFFF == 0 { try control.keep(bytes: 0x10000 * MemoryLayout<Sample>.stride) }
            return
        }
        let base = group * windows.steps.count
        for step in windows.holding(time) { cells[base + step].add(value, at: time) }
    }

    /// Takes what another gathered.
    mutating func merge(_ other: RangeAccumulator) throws(QueryError) {
        for (index, key) in other.labels.enumerated() {
            let group = try group(key)
            switch kind {
            case .totals:
                let size = windows.steps.count + 1
                for step in 0..<size {
                    lines[group * size + step] += other.lines[index * size + step]
                    bytes[group * size + step] += other.bytes[index * size + step]
                }
            case .cells:
                let size = windows.steps.count
                for step in 0..<size { cells[group * size + step].merge(other.cells[index * size + step]) }
            case .samples: samples[group] += other.samples[index]
            }
        }
    }

    /// The numbers, by group and step.
    mutating func matrix(_ aggregation: RangeAggregation) throws(QueryError) -> SeriesMatrix {
        try control.keep(bytes: labels.count * windows.steps.count * 8)
        var result = SeriesMatrix()
        for group in labels.indices {
            let values: [Double]
            switch kind {
            case .totals: values = totals(group, aggregation)
            case .cells: values = cellValues(group, aggregation)
            case .samples:
                samples[group].sort { $0.time < $1.time }
                values = RangeSamples(samples: samples[group], windows: windows).values(aggregation)
            }
            result.series.append(.init(labels: labels[group], values: values))
        }
        result.removeEmpty()
        return result
    }

    private func totals(_ group: Int, _ aggregation: RangeAggregation) -> [Double] {
        let size = windows.steps.count + 1
        let seconds = Double(windows.interval) / 1e9
        var (count, size64) = (0.0, 0.0)
        return (0..<windows.steps.count).map { step in
            count += lines[group * size + step]
            size64 += bytes[group * size + step]
            guard count > 0 else { return SeriesMatrix.absent }
            switch aggregation.operation {
            case .rate: return count / seconds
            case .bytesOverTime: return size64
            case .bytesRate: return size64 / seconds
            default: return count
            }
        }
    }

    private func cellValues(_ group: Int, _ aggregation: RangeAggregation) -> [Double] {
        let base = group * windows.steps.count
        let seconds = Double(windows.interval) / 1e9
        return (0..<windows.steps.count).map { cells[base + $0].value(aggregation.operation, seconds: seconds) }
    }
}

extension RangeAccumulator.Cell {
    @inline(__always)
    mutating func add(_ value: Double, at time: Int64) {
        count += 1
        sum += value
        let delta = value - mean
        mean += delta / count
        deviation += delta * (value - mean)
        if value < least || least.isNaN { least = value }
        if value > greatest || greatest.isNaN { greatest = value }
        if time < firstTime { (first, firstTime) = (value, time) }
        if time >= lastTime { (last, lastTime) = (value, time) }
    }

    /// Two parts of one window: as if their samples had come one after the other.
    mutating func merge(_ other: Self) {
        guard other.count > 0 else { return }
        guard count > 0 else { return self = other }
        let (total, delta) = (count + other.count, other.mean - mean)
        deviation += other.deviation + delta * delta * count * other.count / total
        mean += delta * other.count / total
        count = total
        sum += other.sum
        if other.least < least || least.isNaN { least = other.least }
        if other.greatest > greatest || greatest.isNaN { greatest = other.greatest }
        if other.firstTime < firstTime { (first, firstTime) = (other.first, other.firstTime) }
        if other.lastTime >= lastTime { (last, lastTime) = (other.last, other.lastTime) }
    }

    func value(_ operation: RangeAggregation.Operation, seconds: Double) -> Double {
        guard count > 0 else { return SeriesMatrix.absent }
        switch operation {
        case .rate: return sum / seconds
        case .avgOverTime: return mean
        case .minOverTime: return least
        case .maxOverTime: return greatest
        case .stdvarOverTime: return deviation / count
        case .stddevOverTime: return (deviation / count).squareRoot()
        case .firstOverTime: return first
        case .lastOverTime: return last
        default: return sum
        }
    }
}
