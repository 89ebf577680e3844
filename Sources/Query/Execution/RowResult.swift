internal import Series

/// The rows of a plan without aggregates: groups in order, in each the points by time.
struct RowResult {
    private let plan: QueryPlan
    private let partial: RowPartial
    private var order: [RowPartial.Reference]
    private var position = 0
    /// Where the groups begin and end in `order`, the next one last.
    private var ranges: [Range<Int>] = []

    init(_ plan: QueryPlan, _ partial: RowPartial) {
        self.plan = plan
        self.partial = partial
        var rank = [UInt32](repeating: 0, count: partial.directory.keys.count)
        for (place, group) in partial.directory.ordered(descending: false).enumerated() {
            rank[group] = UInt32(place)
        }
        let ties = TieBreaker(partial)
        let descending = plan.descending
        order = partial.references
        order.sort { left, right in
            if left.group != right.group {
                return (rank[Int(left.group)] < rank[Int(right.group)]) != descending
            }
            if left.time != right.time { return (left.time < right.time) != descending }
            return left.series != right.series && ties.precedes(left.series, right.series) != descending
        }
        cut()
    }

    /// Finds the groups, and what limits leave of them.
    private mutating func cut() {
        var groups: [Range<Int>] = []
        var start = 0
        for index in order.indices where index + 1 == order.count || order[index + 1].group != order[index].group {
            groups.append(start..<index + 1)
            start = index + 1
        }
        // Groups are chosen in rising order, whichever way they come.
        if plan.descending { groups.reverse() }
        groups = Array(groups.dropFirst(plan.groupOffset).prefix(plan.groupLimit ?? .max))
        if plan.descending { groups.reverse() }
        ranges = groups.compactMap { range in
            let kept = range.dropFirst(plan.offset).prefix(plan.limit ?? .max)
            return kept.isEmpty ? nil : kept.startIndex..<kept.endIndex
        }.reversed()
    }

    /// The next rows; nil behind the last.
    mutating func next(_ count: Int) -> ResultPiece? {
        guard let range = ranges.popLast() else { return nil }
        let end = min(range.upperBound, range.lowerBound + count)
        if end < range.upperBound { ranges.append(end..<range.upperBound) }
        let rows = order[range.lowerBound..<end]
        let width = partial.batches[Int(rows[range.lowerBound].batch)].count
        let columns = (0..<width).map { column in
            Vector.joined(rows.map { (partial.batches[Int($0.batch)][column], Int($0.row)) })
        }
        return ResultPiece(
            group: partial.directory.keys[Int(rows[range.lowerBound].group)], times: rows.map(\.time),
            columns: columns, endsGroup: end == range.upperBound, endsResult: ranges.isEmpty)
    }
}

/// Orders series by their tags where times are equal.
private struct TieBreaker {
    private let partial: RowPartial

    init(_ partial: RowPartial) { self.partial = partial }

    func precedes(_ left: UInt32, _ right: UInt32) -> Bool {
        let (leftScan, leftSeries) = place(left)
        let (rightScan, rightSeries) = place(right)
        if leftScan == rightScan { return leftSeries < rightSeries }
        let (leftTable, rightTable) = (partial.tables[leftScan].table, partial.tables[rightScan].table)
        for key in leftTable.values.indices {
            let leftValue = leftTable.values[key][Int(leftTable.codes[key][leftSeries])]
            let rightValue = rightTable.values[key][Int(rightTable.codes[key][rightSeries])]
            if leftValue != rightValue {
                // A series without the tag has a later key in its place.
                if leftValue.isEmpty || rightValue.isEmpty { return rightValue.isEmpty }
                return leftValue.lexicographicallyPrecedes(rightValue)
            }
        }
        return false
    }

    private func place(_ series: UInt32) -> (scan: Int, series: Int) {
        var (low, high) = (0, partial.tables.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if partial.tables[middle].first <= series { low = middle } else { high = middle }
        }
        return (low, Int(series - partial.tables[low].first))
    }
}
