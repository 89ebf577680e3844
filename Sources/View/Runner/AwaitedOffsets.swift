/// The offsets of records whose writers are told what became of them, and so need not look into `rejected.<topic>`.
///
/// It lives in memory only: what a writer of an earlier process was promised, nobody can tell it any more. Bounded:
/// what is beyond the bound counts as not awaited, so that a refusal is told twice rather than not at all.
struct AwaitedOffsets: Sendable {
    /// The most ranges that are kept, neighbours counted as one. An application that writes over HTTP beside a Kafka
    /// producer while the view stands still can reach it.
    static let maximumRanges = 65_536

    /// Ascending, with gaps between them.
    private(set) var ranges: [Range<Int64>] = []

    /// Notes the offsets of records that were just appended: behind all that are noted. Others are not taken.
    mutating func add(_ offsets: Range<Int64>) {
        guard !offsets.isEmpty else { return }
        guard let last = ranges.last else { return ranges.append(offsets) }
        guard offsets.lowerBound >= last.upperBound else { return }
        if offsets.lowerBound == last.upperBound {
            ranges[ranges.count - 1] = last.lowerBound..<offsets.upperBound
        } else if ranges.count < Self.maximumRanges {
            ranges.append(offsets)
        }
    }

    /// Whether a record's writer is told.
    func contains(_ offset: Int64) -> Bool {
        let place = firstPlace { $0.upperBound > offset }
        return place < ranges.count && ranges[place].contains(offset)
    }

    /// Nobody waits for these any more.
    mutating func remove(_ offsets: Range<Int64>) {
        let (start, end) = (
            firstPlace { $0.upperBound > offsets.lowerBound }, firstPlace { $0.lowerBound >= offsets.upperBound }
        )
        guard start < end, !offsets.isEmpty else { return }
        let before = ranges[start].lowerBound..<max(ranges[start].lowerBound, offsets.lowerBound)
        let after = min(ranges[end - 1].upperBound, offsets.upperBound)..<ranges[end - 1].upperBound
        ranges.replaceSubrange(start..<end, with: [before, after].filter { !$0.isEmpty })
    }

    /// Everything before `offset` is applied.
    mutating func remove(before offset: Int64) {
        guard let first = ranges.first, first.lowerBound < offset else { return }
        remove(first.lowerBound..<offset)
    }

    /// The first range that is so, as all behind it are.
    private func firstPlace(where isSo: (Range<Int64>) -> Bool) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if isSo(ranges[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
