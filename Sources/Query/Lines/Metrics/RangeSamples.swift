/// Functions that need all samples of a window, in the order of time.
struct RangeSamples {
    let samples: [RangeAccumulator.Sample]
    let windows: RangeWindows

    func values(_ aggregation: RangeAggregation) -> [Double] {
        var (first, end) = (0, 0)
        return (0..<windows.steps.count).map { step in
            let last = windows.steps.time(step) &- windows.offset
            while end < samples.count, samples[end].time <= last { end += 1 }
            while first < end, samples[first].time <= last &- windows.interval { first += 1 }
            guard first < end else { return SeriesMatrix.absent }
            if aggregation.operation == .rateCounter { return counterRate(samples[first..<end], last) }
            var numbers = samples[first..<end].map(\.value)
            return Self.quantile(aggregation.parameter ?? 0, of: &numbers)
        }
    }

    /// The number at a quantile; between two of them in proportion. Outside of 0…1 an infinity, as Prometheus has it.
    static func quantile(_ quantile: Double, of numbers: inout [Double]) -> Double {
        guard !numbers.isEmpty, !quantile.isNaN else { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        let rank = quantile * Double(numbers.count - 1)
        let lower = Int(rank.rounded(.down))
        let weight = rank - rank.rounded(.down)
        let below = select(lower, of: &numbers)
        guard weight > 0 else { return below * 1 }
        // Everything behind the place is not less: the next in order is the least of it.
        var above = Double.infinity
        for index in (lower + 1)..<numbers.count where numbers[index] < above { above = numbers[index] }
        return below * (1 - weight) + above * weight
    }

    /// The number that would stand at a place if all were sorted; less stand in front of it, more behind.
    private static func select(_ place: Int, of numbers: inout [Double]) -> Double {
        var (low, high) = (0, numbers.count - 1)
        while low < high {
            let (middle, pivot) = (
                low + (high - low) / 2, median(numbers[low], numbers[low + (high - low) / 2], numbers[high])
            )
            _ = middle
            var (left, right) = (low, high)
            while left <= right {
                while numbers[left] < pivot { left += 1 }
                while pivot < numbers[right] { right -= 1 }
                if left <= right {
                    numbers.swapAt(left, right)
                    left += 1
                    right -= 1
                }
            }
            if place <= right { high = right } else if place >= left { low = left } else { return numbers[place] }
        }
        return numbers[place]
    }

    private static func median(_ first: Double, _ second: Double, _ third: Double) -> Double {
        max(min(first, second), min(max(first, second), third))
    }

    /// The increase per second of a counter that may start anew, carried on to the window's ends as Prometheus does.
    private func counterRate(_ samples: ArraySlice<RangeAccumulator.Sample>, _ end: Int64) -> Double {
        guard samples.count > 1, let first = samples.first, let last = samples.last else { return SeriesMatrix.absent }
        var increase = last.value - first.value
        for index in samples.indices.dropFirst() where samples[index].value < samples[index - 1].value {
            increase += samples[index - 1].value
        }
        let seconds = { (nanoseconds: Int64) in Double(nanoseconds) / 1e9 }
        let sampled = seconds(last.time - first.time)
        let between = sampled / Double(samples.count - 1)
        let threshold = between * 1.1
        var toStart = seconds(first.time - (end - windows.interval))
        let toEnd = seconds(end - last.time)
        if increase > 0, first.value >= 0 { toStart = min(toStart, sampled * (first.value / increase)) }
        var extrapolated = sampled
        extrapolated += toStart < threshold ? toStart : between / 2
        extrapolated += toEnd < threshold ? toEnd : between / 2
        return increase * (extrapolated / sampled) / seconds(windows.interval)
    }
}
