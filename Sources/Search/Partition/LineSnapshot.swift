import Columns
import Telemetry

/// A head that is being written into blocks.
final class FrozenLines: Sendable {
    let head: LineHead
    /// The offset of the first record that is not in it.
    let nextOffset: Int64
    /// The state as of then, in its bytes.
    let state: [UInt8]
    /// The number of this cut.
    let cut: Int64

    init(_ head: LineHead, nextOffset: Int64, state: [UInt8], cut: Int64) {
        self.head = head
        self.nextOffset = nextOffset
        self.state = state
        self.cut = cut
    }
}

/// What one partition shows: consistent, and unchanged as long as somebody holds it.
struct LineSnapshot: Sendable {
    var head: LineHead
    var frozen: FrozenLines?
    /// In the order of their cuts.
    var blocks: [StoredBlock] = []
    var deletions: [Deletion] = []
    var retention = RetentionRules()
    /// The manifest's: what was before is in its blocks.
    var nextOffset: Int64 = 0
    /// How many streams had lines lately.
    var activeStreams = 0

    /// The heads with what hides lines of them, the older one first.
    func heads() -> [HeadSource] {
        var heads: [HeadSource] = []
        if let frozen {
            let later = deletions.filter { $0.offset >= frozen.nextOffset }
            heads.append(HeadSource(frozen.head, frozen.head.view(), later: later))
        }
        heads.append(HeadSource(head, head.view(), later: []))
        return heads
    }

    /// What deletions hide of a stream's lines that were applied up to an offset.
    func hidden(_ stream: StreamLabels, appliedThrough: Int64) -> [HiddenLines] {
        deletions.filter { $0.offset >= appliedThrough && $0.matches(stream) }.map(\.lines)
    }
}

/// A head as a reader sees it.
struct HeadSource: Sendable {
    let head: LineHead
    let view: LineHead.View
    private let masks: [HeadMask]

    /// - Parameter later: deletions that came after the head was frozen.
    init(_ head: LineHead, _ view: LineHead.View, later: [Deletion]) {
        self.head = head
        self.view = view
        masks = view.masks + later.map { HeadMask(deletion: $0, below: .max) }
    }

    /// The numbers of the streams that match and may have a line in a window.
    func streams(matching matchers: [LabelMatcher], in range: TimeWindow) -> [Int] {
        view.streams.indices.filter { stream in
            let tail = view.tails[stream]
            return tail.count > 0 && tail.maximum > range.start && tail.minimum <= range.end
                && matchers.allSatisfy { $0.holds(for: view.streams[stream]) }
        }
    }

    /// What hides lines of a stream.
    func masks(of stream: Int) -> [HeadMask] {
        guard !masks.isEmpty else { return [] }
        return masks.filter { $0.deletion.matches(view.streams[stream]) }
    }

    /// The rows of a stream in a window, in the order of time, those of one time in the order in which they came.
    /// Reversed if `descending`, but then too those of one time in the order in which they came, reversed.
    ///
    /// - Parameter candidates: the rows that are asked for, ascending; nil for all of the stream.
    func rows(
        of stream: Int, in range: TimeWindow, descending: Bool, candidates: [UInt32]? = nil
    ) -> [UInt32] {
        let tail = view.tails[stream]
        let masks = masks(of: stream)
        var found: [UInt32] = []
        if let candidates {
            found = candidates.filter { place in
                let row = head.rows[Int(place)]
                return range.contains(row.time) && !isHidden(row, place, masks)
            }
            return inOrder(found, isOrdered: tail.isOrdered, isDescending: false, descending)
        }
        var place = tail.last
        while place != HeadRow.none {
            let row = head.rows[Int(place)]
            if row.time <= range.start, tail.isOrdered { break }
            if range.contains(row.time), !isHidden(row, place, masks) { found.append(place) }
            place = row.previous
        }
        // The chain runs backwards.
        return inOrder(found, isOrdered: tail.isOrdered, isDescending: true, descending)
    }

    /// Rows of a stream, in the order in which they came or against it, in the order of time that is asked for.
    func inOrder(
        _ rows: [UInt32], isOrdered: Bool, isDescending: Bool, _ descending: Bool
    ) -> [UInt32] {
        var found = rows
        if isDescending != descending { found.reverse() }
        guard !isOrdered else { return found }
        let rows = head.rows
        found.sort {
            let (a, b) = (rows[Int($0)].time, rows[Int($1)].time)
            return descending ? (a, $0) > (b, $1) : (a, $0) < (b, $1)
        }
        return found
    }

    @inline(__always)
    func isHidden(_ row: HeadRow, _ number: UInt32, _ masks: [HeadMask]) -> Bool {
        masks.contains { number < $0.below && $0.deletion.lines.hides(time: row.time, line: head.line(row)) }
    }
}
