import Columns
import SimulatedMachine
import Testing

@testable import Series

/// Lists of series are united by numbers; here by the keys that these stand for.
struct SeriesMergeTests {
    @Test(arguments: [2, 5, 40])
    func unitesAsTheKeysSay(tags: Int) throws {
        var random = SeededGenerator(seed: UInt64(tags))
        for _ in 0..<40 {
            let lists = (0..<Int.random(in: 1...4, using: &random)).map { _ in list(tags: tags, &random) }
            let merge = SeriesMerge(lists)
            let all = Set(lists.flatMap(keys)).sorted { SeriesKey.compare($0, $1) < 0 }
            #expect(keys(merge.series) == all)
            for (list, numbers) in zip(lists, merge.numbers) {
                #expect(numbers.map { all[Int($0)] } == keys(list))
            }
            for (column, values) in merge.series.values.enumerated() {
                #expect(Set(merge.series.codes[column]).count == values.count, "every value is used")
            }
        }
    }

    private func keys(_ columns: SeriesColumns) -> [[UInt8]] {
        (0..<columns.count).map { series in
            var key: [UInt8] = []
            columns.appendKey(of: series, to: &key)
            return key
        }
    }

    /// Series with some of the tags, some of them missing, in the order of their keys; the values in none.
    private func list(tags: Int, _ random: inout SeededGenerator) -> SeriesColumns {
        let names = (0..<tags).map { Array("t\($0)".utf8) }.filter { _ in Bool.random(using: &random) }
            .sorted { SeriesKey.compare($0, $1) < 0 }
        var values = [[], [0], [1], [1, 0], [2], Array("a".utf8), Array("ab".utf8), Array("b".utf8), [255]]
        values.shuffle(using: &random)
        var found: [[UInt8]: [UInt32]] = [:]
        for _ in 0..<30 {
            let codes = names.map { _ in
                Bool.random(using: &random)
                    ? UInt32(values.firstIndex(of: [])!) : UInt32.random(in: 0..<UInt32(values.count), using: &random)
            }
            let tags = zip(names, codes).map { ($0, values[Int($1)]) }
            found[SeriesKey.encode(tags.map { (key: $0.0, value: $0.1) })] = codes
        }
        let series = found.sorted { SeriesKey.compare($0.key, $1.key) < 0 }.map(\.value)
        var strings = ByteStrings()
        for value in values { value.withUnsafeBytes { strings.append($0) } }
        return SeriesColumns(
            count: series.count, tagKeys: names, values: names.map { _ in strings },
            codes: names.indices.map { column in series.map { $0[column] } })
    }
}
