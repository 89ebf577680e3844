import Columns

/// Unites the series of several lists: which number each has among all, and their tags by columns.
///
/// Each series becomes a number, of one word as a rule, whose order is that of the canonical keys; no key is built.
public struct SeriesMerge: Sendable {
    /// All series, in the order of their canonical keys.
    public private(set) var series: SeriesColumns
    /// For each list: its series' numbers, ascending.
    public private(set) var numbers: [[Int32]]

    /// Unites lists of series of one measurement, each in the order of the canonical keys. Memory: some words per
    /// series, a code per series and tag key, and each value once.
    public init(_ lists: [SeriesColumns]) {
        var keys: [[UInt8]] = []
        for key in lists.flatMap(\.tagKeys) where !keys.contains(key) { keys.append(key) }
        keys.sort { SeriesKey.compare($0, $1) < 0 }
        var packing = KeyPacking()
        let columns = keys.map { key in
            let values = CommonValues(lists, key)
            packing.add(largest: UInt64(values.strings.count))
            return values
        }
        let packed = packing.pack(lists, columns)
        let union = Self.unite(packed, counts: lists.map(\.count), words: packing.words)
        numbers = union.numbers
        series = SeriesColumns(count: union.keys.count / packing.words, tagKeys: keys, values: [], codes: [])
        for (index, column) in columns.enumerated() {
            let (values, codes) = column.used(packing.ranks(of: index, in: union.keys))
            series.values.append(values)
            series.codes.append(codes)
        }
    }

    /// Merges lists of numbers of some words each, that stand one list behind the other.
    private static func unite(
        _ packed: [UInt64], counts: [Int], words: Int
    ) -> (keys: [UInt64], numbers: [[Int32]]) {
        var keys: [UInt64] = []
        keys.reserveCapacity(words * (counts.max() ?? 0))
        var numbers = counts.map { count in
            var list: [Int32] = []
            list.reserveCapacity(count)
            return list
        }
        var places: [Int] = []
        var ends: [Int] = []
        for count in counts {
            places.append(ends.last ?? 0)
            ends.append((ends.last ?? 0) + count * words)
        }
        packed.withUnsafeBufferPointer { packed in
            var number: Int32 = 0
            while true {
                var lead = -1
                for index in counts.indices where places[index] < ends[index] {
                    if lead < 0 || order(packed, places[index], lead, words) < 0 { lead = places[index] }
                }
                guard lead >= 0 else { break }
                for word in 0..<words { keys.append(packed[lead + word]) }
                for index in counts.indices where places[index] < ends[index] {
                    if order(packed, places[index], lead, words) == 0 {
                        numbers[index].append(number)
                        places[index] += words
                    }
                }
                number += 1
            }
        }
        return (keys, numbers)
    }

    @inline(__always)
    private static func order(_ packed: UnsafeBufferPointer<UInt64>, _ left: Int, _ right: Int, _ words: Int) -> Int {
        for word in 0..<words where packed[left + word] != packed[right + word] {
            return packed[left + word] < packed[right + word] ? -1 : 1
        }
        return 0
    }
}

/// The values of one tag in several lists: each value's rank is its index among all, sorted; "" is the first of them.
private struct CommonValues {
    private(set) var strings = ByteStrings()
    /// For each list, its column of the tag and the rank by its code; nil if it does not have the tag.
    private(set) var lists: [(column: Int, ranks: [UInt64])?] = []

    init(_ lists: [SeriesColumns], _ key: [UInt8]) {
        var dictionary = StringDictionary()
        _ = dictionary.code(of: UnsafeRawBufferPointer(start: nil, count: 0))
        for list in lists {
            guard let column = list.tagKeys.firstIndex(of: key) else {
                self.lists.append(nil)
                continue
            }
            var codes: [UInt64] = []
            for index in 0..<list.values[column].count {
                codes.append(list.values[column].withString(index) { UInt64(dictionary.code(of: $0)) })
            }
            self.lists.append((column, codes))
        }
        strings = dictionary.strings
        guard let order = ValueOrder.order(of: strings) else { return }
        var (sorted, places) = (ByteStrings(), [UInt64](repeating: 0, count: order.count))
        for (place, code) in order.enumerated() {
            strings.withString(Int(code)) { sorted.append($0) }
            places[Int(code)] = UInt64(place)
        }
        strings = sorted
        self.lists = self.lists.map { list in list.map { ($0.column, $0.ranks.map { places[Int($0)] }) } }
    }

    /// The values that series have, by their ranks, and a code for each series.
    func used(_ ranks: [UInt32]) -> (values: ByteStrings, codes: [UInt32]) {
        var codes = [UInt32](repeating: 0, count: strings.count)
        for rank in ranks { codes[Int(rank)] = 1 }
        if !codes.contains(0) { return (strings, ranks) }
        var values = ByteStrings()
        for rank in codes.indices where codes[rank] != 0 {
            codes[rank] = UInt32(values.count)
            strings.withString(rank) { values.append($0) }
        }
        return (values, ranks.map { codes[Int($0)] })
    }
}

/// How the ranks of a series' values, tag by tag, become a number whose order is that of the canonical keys.
///
/// A missing tag goes before all values where the key ends, and behind all where a later tag follows instead: so it is
/// 0 or the number of values, which no rank is.
private struct KeyPacking {
    private var places: [(word: Int, shift: UInt64, largest: UInt64)] = []
    private var freeBits: UInt64 = 64
    /// How many words a number has.
    private(set) var words = 1

    mutating func add(largest: UInt64) {
        let bits = UInt64(64 - largest.leadingZeroBitCount)
        if bits > freeBits { (words, freeBits) = (words + 1, 64) }
        freeBits -= bits
        places.append((words - 1, freeBits, largest))
    }

    /// The numbers of all series of all lists, one list behind the other.
    func pack(_ lists: [SeriesColumns], _ columns: [CommonValues]) -> [UInt64] {
        var packed = [UInt64](repeating: 0, count: words * lists.reduce(0) { $0 + $1.count })
        var start = 0
        for (number, list) in lists.enumerated() {
            var hasLater = [Bool](repeating: false, count: list.count)
            for (column, place) in places.enumerated().reversed() {
                let found = columns[column].lists[number]
                let ranks = found?.ranks ?? [0]
                let codes = found.map { list.codes[$0.column] } ?? [UInt32](repeating: 0, count: list.count)
                for series in 0..<list.count {
                    var rank = ranks[Int(codes[series])]
                    if rank != 0 { hasLater[series] = true } else if hasLater[series] { rank = place.largest }
                    packed[start + series * words + place.word] |= rank << place.shift
                }
            }
            start += list.count * words
        }
        return packed
    }

    /// The ranks of one tag's values, 0 for a missing one.
    func ranks(of column: Int, in keys: [UInt64]) -> [UInt32] {
        let (word, shift, largest) = places[column]
        let mask = (UInt64(1) << UInt64(64 - largest.leadingZeroBitCount)) - 1
        return stride(from: word, to: keys.count, by: words).map { index in
            let rank = keys[index] >> shift & mask
            return rank == largest ? 0 : UInt32(rank)
        }
    }
}
