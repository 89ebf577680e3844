internal import Telemetry

/// `sum by (a) (…)` and its like, at every moment.
enum VectorAggregator {
    static func apply(_ aggregation: VectorAggregation, to matrix: SeriesMatrix, steps: QuerySteps) -> SeriesMatrix {
        switch aggregation.operation {
        case .sort, .sortDescending: return sorted(matrix, descending: aggregation.operation == .sortDescending)
        case .topk, .approximateTopk: return chosen(matrix, aggregation, steps, descending: true)
        case .bottomk: return chosen(matrix, aggregation, steps, descending: false)
        default: break
        }
        var groups: [StreamLabels: Int] = [:]
        var states: [(labels: StreamLabels, cells: [Cell])] = []
        for series in matrix.series {
            let labels = series.labels.grouped(aggregation.grouping)
            let group = groups[labels] ?? states.count
            if group == states.count {
                groups[labels] = group
                states.append((labels, [Cell](repeating: Cell(), count: steps.count)))
            }
            for step in 0..<steps.count where !series.values[step].isAbsent {
                states[group].cells[step].add(series.values[step])
            }
        }
        return SeriesMatrix(
            series: states.map { state in
                .init(labels: state.labels, values: state.cells.map { $0.value(aggregation.operation) })
            })
    }

    /// What is gathered of one group at one moment.
    private struct Cell {
        var count = 0.0
        var sum = 0.0
        var mean = 0.0
        var deviation = 0.0
        var least = 0.0
        var greatest = 0.0

        mutating func add(_ number: Double) {
            count += 1
            if count == 1 { (least, greatest) = (number, number) }
            sum += number
            let delta = number - mean
            mean += delta / count
            deviation += delta * (number - mean)
            if greatest < number || greatest.isNaN { greatest = number }
            if least > number || least.isNaN { least = number }
        }

        func value(_ operation: VectorAggregation.Operation) -> Double {
            guard count > 0 else { return SeriesMatrix.absent }
            switch operation {
            case .avg: return mean
            case .count: return count
            case .max: return greatest
            case .min: return least
            case .stddev: return (deviation / count).squareRoot()
            case .stdvar: return deviation / count
            default: return sum
            }
        }
    }

    /// The k greatest or least of each group, at every moment by themselves; their labels stay.
    private static func chosen(
        _ matrix: SeriesMatrix, _ aggregation: VectorAggregation, _ steps: QuerySteps, descending: Bool
    ) -> SeriesMatrix {
        guard aggregation.count > 0 else { return SeriesMatrix() }
        var result = matrix
        let groups = Dictionary(
            grouping: matrix.series.indices, by: { matrix.series[$0].labels.grouped(aggregation.grouping) })
        for step in 0..<steps.count {
            for members in groups.values {
                let present = members.filter { !matrix.series[$0].values[step].isAbsent }
                guard present.count > aggregation.count else { continue }
                let ordered = present.sorted {
                    precedes(matrix.series[$0].values[step], matrix.series[$1].values[step], descending)
                }
                for index in ordered.dropFirst(aggregation.count) {
                    result.series[index].values[step] = SeriesMatrix.absent
                }
            }
        }
        result.removeEmpty()
        return result
    }

    /// By value at the only moment; of a range query the order means nothing.
    private static func sorted(_ matrix: SeriesMatrix, descending: Bool) -> SeriesMatrix {
        var result = matrix
        result.series.sort { precedes($0.values[0], $1.values[0], descending) }
        return result
    }

    /// NaN is behind every number in either order.
    private static func precedes(_ left: Double, _ right: Double, _ descending: Bool) -> Bool {
        if left.isNaN || right.isNaN { return !left.isNaN && right.isNaN }
        return descending ? left > right : left < right
    }
}
