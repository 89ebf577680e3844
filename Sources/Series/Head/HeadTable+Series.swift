import Columns

extension HeadTable {
    /// The tags of some published series, by columns.
    ///
    /// - Parameter keys: which tags; nil for all of the table, sorted by key.
    func columns(of ordinals: [UInt32], keys: [[UInt8]]?, _ view: View) -> SeriesColumns {
        let keys = keys ?? view.tagKeys.map(\.name).sorted { SeriesKey.compare($0, $1) < 0 }
        var result = SeriesColumns(count: ordinals.count, tagKeys: keys, values: [], codes: [])
        for key in keys {
            let column = tagColumn(key, ordinals, view)
            result.values.append(column.values)
            result.codes.append(column.codes)
        }
        return result
    }

    private func tagColumn(
        _ name: [UInt8], _ ordinals: [UInt32], _ view: View
    ) -> (values: ByteStrings, codes: [UInt32]) {
        guard let tagKey = view.tagKey(named: name) else {
            return (ByteStrings(bytes: [], offsets: [0, 0]), [UInt32](repeating: 0, count: ordinals.count))
        }
        let places = view.places(of: tagKey)
        let strings = view.tagKeys[tagKey].values
        // By the head's number of a value, and last for a missing tag: the code, which is given when first met.
        var numbers = [UInt32](repeating: .max, count: view.valueCounts[tagKey] + 1)
        var values = ByteStrings()
        var codes: [UInt32] = []
        codes.reserveCapacity(ordinals.count)
        for ordinal in ordinals {
            let entry = series.entries[Int(ordinal)]
            let place = places[Int(entry.shape)]
            let value = place < 0 ? numbers.count - 1 : Int(series.codes[Int(entry.firstCode) + place])
            if numbers[value] == .max {
                numbers[value] = UInt32(values.count)
                values.append(place < 0 ? UnsafeRawBufferPointer(start: nil, count: 0) : strings.string(value))
            }
            codes.append(numbers[value])
        }
        return (values, codes)
    }

    /// The series, of some, that have a row in a range of times.
    func seriesWithRows(
        _ wanted: OrdinalSet, in range: ClosedRange<Int64>, _ view: View, hidden: [BlockRemoval]
    ) -> OrdinalSet {
        let masks = RowMasks(self, view, hidden)
        var found = OrdinalSet(universe: view.seriesCount)
        HeadSelection.visit(view, wanted, range, Array(view.fields.indices), masks) { ordinal, _, _ in
            found.insert(ordinal)
        }
        return found
    }

    /// Whether a deletion has left a row. Ends at the first.
    func hasRows(_ view: View, hidden: [BlockRemoval]) -> Bool {
        let masks = RowMasks(self, view, hidden)
        if masks.isEmpty { return view.rowCount > 0 }
        for (number, shown) in view.groups.enumerated() {
            let (series, times) = (shown.group.series, shown.group.times)
            for row in 0..<shown.rows
            where !masks.hides(RowID(group: number, row: row), ordinal: Int(series[row]), time: times[row]) {
                return true
            }
        }
        return false
    }
}
