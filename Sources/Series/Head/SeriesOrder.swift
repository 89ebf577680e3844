import Columns

/// The series of a head's table in the order of their canonical keys. Kept between readers: sorting many series takes
/// longer than reading their points.
struct SeriesOrder: Sendable {
    private(set) var sorted: [UInt32] = []

    /// Sorts the series of a view in, which has at least those that are here.
    mutating func extend(to view: HeadTable.View, of dictionary: SeriesDictionary) {
        let known = sorted.count
        guard view.seriesCount > known else { return }
        let added = view.seriesCount - known
        if added < known / 8 {
            insert(known..<view.seriesCount, view, dictionary)
        } else {
            sorted = Self.sort(0..<view.seriesCount, view, dictionary)
        }
    }

    /// A few among many: each finds its place by bisection.
    private mutating func insert(_ new: Range<Int>, _ view: HeadTable.View, _ dictionary: SeriesDictionary) {
        let ordered = Self.sort(new, view, dictionary)
        var merged: [UInt32] = []
        merged.reserveCapacity(view.seriesCount)
        var taken = 0
        var other: [UInt8] = []
        for ordinal in ordered {
            let key = dictionary.key(of: Int(ordinal), view)
            var (low, high) = (taken, sorted.count)
            while low < high {
                let middle = (low + high) / 2
                other.removeAll(keepingCapacity: true)
                dictionary.appendKey(of: Int(sorted[middle]), view, to: &other)
                if SeriesKey.compare(other, key) < 0 { low = middle + 1 } else { high = middle }
            }
            merged.append(contentsOf: sorted[taken..<low])
            merged.append(ordinal)
            taken = low
        }
        merged.append(contentsOf: sorted[taken...])
        sorted = merged
    }

    /// A series and the eight bytes of its key behind what all keys begin with, which tell most keys apart.
    private struct Candidate: BitwiseCopyable {
        let prefix: UInt64
        let ordinal: UInt32
        let start: UInt32
    }

    private static func sort(
        _ series: Range<Int>, _ view: HeadTable.View, _ dictionary: SeriesDictionary
    ) -> [UInt32] {
        var keys: [UInt8] = []
        var starts: [Int] = []
        starts.reserveCapacity(series.count + 1)
        for ordinal in series {
            starts.append(keys.count)
            dictionary.appendKey(of: ordinal, view, to: &keys)
        }
        starts.append(keys.count)
        return keys.withUnsafeBytes { bytes in
            func key(_ index: Int) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: bytes[starts[index]..<starts[index + 1]])
            }
            let skip = commonPrefix(series.count, key)
            var candidates: [Candidate] = []
            candidates.reserveCapacity(series.count)
            for index in 0..<series.count {
                candidates.append(
                    Candidate(
                        prefix: word(key(index), at: skip), ordinal: UInt32(series.lowerBound + index),
                        start: UInt32(index)))
            }
            candidates.sort { left, right in
                if left.prefix != right.prefix { return left.prefix < right.prefix }
                return SeriesKey.compare(key(Int(left.start)), key(Int(right.start))) < 0
            }
            return candidates.map(\.ordinal)
        }
    }

    private static func commonPrefix(_ count: Int, _ key: (Int) -> UnsafeRawBufferPointer) -> Int {
        guard count > 0 else { return 0 }
        let first = key(0)
        var common = first.count
        for index in 1..<max(1, count) {
            let other = key(index)
            common = min(common, other.count)
            var position = 0
            while position < common, first[position] == other[position] { position += 1 }
            common = position
            if common == 0 { break }
        }
        return common
    }

    /// Eight bytes as a big-endian number, zeros behind the end: 0x00 ends every part of a key, so that this keeps the
    /// order.
    private static func word(_ key: UnsafeRawBufferPointer, at position: Int) -> UInt64 {
        var value: UInt64 = 0
        for offset in 0..<8 {
            let index = position + offset
            value = value << 8 | (index < key.count ? UInt64(key[index]) : 0)
        }
        return value
    }
}

extension SeriesDictionary {
    /// The canonical key of a published series.
    func key(of ordinal: Int, _ view: HeadTable.View) -> [UInt8] {
        var key: [UInt8] = []
        appendKey(of: ordinal, view, to: &key)
        return key
    }

    /// Appends the canonical key of a published series.
    func appendKey(of ordinal: Int, _ view: HeadTable.View, to bytes: inout [UInt8]) {
        let entry = entries[ordinal]
        for (index, number) in view.shapes[Int(entry.shape)].enumerated() {
            let tagKey = view.tagKeys[Int(number)]
            let value = tagKey.values.string(Int(codes[Int(entry.firstCode) + index]))
            tagKey.name.withUnsafeBytes { SeriesKey.append(key: $0, value: value, to: &bytes) }
        }
    }

    /// The tags of a published series, sorted by key.
    func tags(of ordinal: Int, _ view: HeadTable.View) -> [(key: [UInt8], value: [UInt8])] {
        let entry = entries[ordinal]
        return view.shapes[Int(entry.shape)].enumerated().map { index, number in
            let tagKey = view.tagKeys[Int(number)]
            return (tagKey.name, [UInt8](tagKey.values.string(Int(codes[Int(entry.firstCode) + index]))))
        }
    }
}
