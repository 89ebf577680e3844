import Columns

extension HeadTable {
    /// The published series that a predicate matches. Tests are called once per distinct value.
    func series(matching predicate: TagPredicate, _ view: View) -> OrdinalSet {
        switch predicate {
        case .all:
            return OrdinalSet(universe: view.seriesCount, full: true)
        case .equals(let key, let value):
            return value.withUnsafeBytes { value in series(of: key, view) { equalBytes(value, $0) } }
        case .satisfies(let key, let test):
            return series(of: key, view, test)
        case .and(let parts):
            var set = OrdinalSet(universe: view.seriesCount, full: true)
            for part in parts { set.formIntersection(series(matching: part, view)) }
            return set
        case .or(let parts):
            var set = OrdinalSet(universe: view.seriesCount)
            for part in parts { set.formUnion(series(matching: part, view)) }
            return set
        case .not(let part):
            var set = series(matching: part, view)
            set.invert()
            return set
        }
    }

    private func series(
        of key: [UInt8], _ view: View, _ test: (UnsafeRawBufferPointer) -> Bool
    ) -> OrdinalSet {
        let matchesMissing = test(UnsafeRawBufferPointer(start: nil, count: 0))
        guard let tagKey = view.tagKey(named: key) else {
            return OrdinalSet(universe: view.seriesCount, full: matchesMissing)
        }
        let values = view.tagKeys[tagKey].values
        let matches = (0..<view.valueCounts[tagKey]).map { test(values.string($0)) }
        let places = view.places(of: tagKey)
        var set = OrdinalSet(universe: view.seriesCount)
        for ordinal in 0..<view.seriesCount {
            let entry = series.entries[ordinal]
            let place = places[Int(entry.shape)]
            let isMatch =
                place < 0 ? matchesMissing : matches[Int(series.codes[Int(entry.firstCode) + place])]
            if isMatch { set.insert(ordinal) }
        }
        return set
    }
}

extension HeadTable.View {
    /// For each shape the place of a tag key in it, or -1.
    func places(of tagKey: Int) -> [Int] {
        shapes.map { $0.firstIndex(of: UInt16(tagKey)) ?? -1 }
    }
}
