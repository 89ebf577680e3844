/// Unites the series of several lists: which number each has among all, and their tags by columns.
public struct SeriesMerge: Sendable {
    /// All series, in the order of their canonical keys.
    public private(set) var series: SeriesColumns
    /// For each list: its series' numbers, ascending.
    public private(set) var numbers: [[Int32]]

    /// Unites lists of series of one measurement, each in the order of the canonical keys. Memory: a code per series
    /// and tag key, and each value once.
    public init(_ lists: [SeriesColumns]) {
        var keys: [[UInt8]] = []
        for key in lists.flatMap(\.tagKeys) where !keys.contains(key) { keys.append(key) }
        keys.sort { SeriesKey.compare($0, $1) < 0 }
        series = SeriesColumns(count: 0, tagKeys: keys, values: [], codes: Array(repeating: [], count: keys.count))
        numbers = lists.map { _ in [] }
        var columns = lists.map { ListColumns($0, keys) }
        var values = keys.map { _ in StringDictionary() }
        var places = lists.map { _ in 0 }
        var current = lists.map { list in Self.key(list, 0) }
        while true {
            var lead: Int?
            for index in lists.indices where places[index] < lists[index].count {
                if let found = lead, SeriesKey.compare(current[index], current[found]) >= 0 { continue }
                lead = index
            }
            guard let lead else { break }
            for column in keys.indices {
                series.codes[column].append(
                    columns[lead].code(column, lists[lead], places[lead], &values[column]))
            }
            let key = current[lead]
            for index in lists.indices where places[index] < lists[index].count && current[index] == key {
                numbers[index].append(Int32(series.count))
                places[index] += 1
                current[index] = Self.key(lists[index], places[index])
            }
            series.count += 1
        }
        series.values = values.map(\.strings)
    }

    private static func key(_ list: SeriesColumns, _ place: Int) -> [UInt8] {
        var key: [UInt8] = []
        if place < list.count { list.appendKey(of: place, to: &key) }
        return key
    }

    /// How a list's columns and codes become those of all.
    private struct ListColumns {
        /// For each column of all, the list's.
        let places: [Int?]
        /// For each of those, each code's code among all plus 1, or 0.
        var codes: [[UInt32]]

        init(_ list: SeriesColumns, _ keys: [[UInt8]]) {
            places = keys.map { key in list.tagKeys.firstIndex(of: key) }
            codes = places.map { place in place.map { [UInt32](repeating: 0, count: list.values[$0].count) } ?? [0] }
        }

        mutating func code(
            _ column: Int, _ list: SeriesColumns, _ series: Int, _ values: inout StringDictionary
        ) -> UInt32 {
            let place = places[column]
            let code = place.map { Int(list.codes[$0][series]) } ?? 0
            if codes[column][code] == 0 {
                let found =
                    if let place {
                        list.values[place].withString(code) { values.code(of: $0) }
                    } else {
                        values.code(of: UnsafeRawBufferPointer(start: nil, count: 0))
                    }
                codes[column][code] = found + 1
            }
            return codes[column][code] - 1
        }
    }
}
