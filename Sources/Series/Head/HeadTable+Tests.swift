import Columns

extension HeadTable.View {
    /// The series, of some, that have a row in a range for each test whose string passes it. All their rows count: a
    /// point may have been written in several.
    ///
    /// Rows are looked at as they came. In that order their strings and what is known of them lie one behind the other,
    /// which a reader who goes by series pays for with a miss of the cache each.
    func series(_ wanted: OrdinalSet, passing tests: [StringTest], in range: ClosedRange<Int64>) -> OrdinalSet {
        var left = wanted
        for test in tests {
            guard let field = field(named: test.field), let strings = fields[field].strings else { continue }
            var passing = OrdinalSet(universe: wanted.universe)
            // By the string's number: 2 stands for undecided.
            var verdicts: [UInt8] = []
            for shown in groups {
                guard let column = shown.column(field) else { continue }
                let (series, times) = (shown.group.series, shown.group.times)
                for row in 0..<shown.rows where column.present[row] != 0 {
                    guard times[row] >= range.lowerBound, times[row] <= range.upperBound else { continue }
                    let number = Int(truncatingIfNeeded: column.values[row])
                    if number >= verdicts.count {
                        let more = max(1_024, number + 1 - verdicts.count, verdicts.count)
                        verdicts += [UInt8](repeating: 2, count: more)
                    }
                    if verdicts[number] == 2 { verdicts[number] = test.passes(strings.string(number)) ? 1 : 0 }
                    if verdicts[number] == 1 { passing.insert(Int(series[row])) }
                }
            }
            left.formIntersection(passing)
        }
        return left
    }
}
