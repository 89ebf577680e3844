import Columns
import Synchronization
import Telemetry

/// Reads rows of a head that came together, of many streams: in the order in which they lie in memory, which is several
/// times as fast as following the chain of each stream.
final class HeadRangeScan: LineScan {
    let bounds: TimeWindow
    private let source: HeadSource
    private let streams: WantedStreams
    private let rows: Range<Int>
    private let request: LineRequest
    private let state = Mutex(State())

    /// What one thread at a time has.
    private struct State {
        var hasSelected = false
        /// The rows that are to be given, by stream; the next stream last.
        var lists: [[UInt32]] = []
        var place = 0
    }

    /// The streams that are asked for.
    struct WantedStreams: Sendable {
        /// For each stream of the head its place among those that are asked for, or -1.
        let places: [Int32]
        /// For each of these what hides lines of it.
        let masks: [[HeadMask]]

        init(_ streams: [Int], _ source: HeadSource) {
            var places = [Int32](repeating: -1, count: source.view.streams.count)
            for (place, stream) in streams.enumerated() { places[stream] = Int32(place) }
            self.places = places
            masks = streams.map { source.masks(of: $0) }
        }
    }

    init(
        _ source: HeadSource, _ streams: WantedStreams, _ rows: Range<Int>, _ span: RowSpan, _ request: LineRequest
    ) {
        self.source = source
        self.streams = streams
        self.rows = rows
        self.request = request
        bounds = TimeWindow(
            start: max(request.range.start, span.minimum == .min ? .min : span.minimum - 1),
            end: min(request.range.end, span.maximum))
    }

    func next() throws(SearchError) -> LineBatch? {
        let outcome = state.withLock { state -> Result<LineBatch?, SearchError> in
            do throws(SearchError) { return .success(try next(&state)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private func next(_ state: inout State) throws(SearchError) -> LineBatch? {
        let evaluator = LineEvaluator(request.condition)
        if !state.hasSelected {
            state.hasSelected = true
            state.lists = select(evaluator)
            try evaluator.checkPatterns()
        }
        guard let list = state.lists.last else { return nil }
        let head = source.head
        let stream = Int(head.rows[Int(list[0])].stream)
        var builder = BatchBuilder(request, evaluator, stream: source.view.streams[stream])
        let end = min(list.count, request.limit ?? .max)
        while state.place < end, builder.rawBytes < HeadScan.batchBytes {
            let row = head.rows[Int(list[state.place])]
            state.place += 1
            builder.append(time: row.time, level: row.level, line: head.line(row), set: row.metadata) {
                head.set(row.metadata)
            }
        }
        if state.place == end {
            state.lists.removeLast()
            state.place = 0
        }
        return builder.finish()
    }

    /// The rows that satisfy, by stream, each in the order in which they are given; no list is empty.
    private func select(_ evaluator: LineEvaluator) -> [[UInt32]] {
        let head = source.head
        var lists = [[UInt32]](repeating: [], count: streams.masks.count)
        for number in rows {
            let row = head.rows[number]
            let place = Int(streams.places[Int(row.stream)])
            guard place >= 0, request.range.contains(row.time),
                evaluator.holds(head.line(row), level: row.level)
            else { continue }
            let masks = streams.masks[place]
            if !masks.isEmpty, source.isHidden(row, UInt32(number), masks) { continue }
            lists[place].append(UInt32(number))
        }
        lists.removeAll(where: \.isEmpty)
        // The first stream is taken first, from the end.
        lists.reverse()
        for place in lists.indices {
            lists[place] = source.inOrder(
                lists[place], isOrdered: false, isDescending: false, request.descending)
        }
        return lists
    }
}

extension HeadSource {
    /// The most streams that are read by ranges of rows: a part keeps a list for each.
    private static var maximumStreams: Int { 4_096 }
    /// So many spans are a part, where a reader has no limit.
    private static var partSpans: Int { 4 }

    /// The parts of a scan by ranges of rows; nil where following the chains of streams is better.
    ///
    /// - Parameter asked: the number of rows of the streams.
    func rangeParts(_ streams: [Int], asked: Int, _ request: LineRequest) -> [any LineScan]? {
        guard streams.count <= Self.maximumStreams, asked >= view.rowCount / 8 else { return nil }
        let wanted = HeadRangeScan.WantedStreams(streams, self)
        let size = request.limit == nil ? Self.partSpans : 1
        let spans = (view.rowCount + RowSpan.rows - 1) / RowSpan.rows
        var parts: [any LineScan] = []
        for first in stride(from: 0, to: spans, by: size) {
            var all = RowSpan()
            for number in first..<min(spans, first + size) {
                // The last one that is full may have been added since the view was taken: then it is not in it.
                let span = (number + 1) * RowSpan.rows <= view.rowCount ? head.spans[number] : view.openSpan
                all.add(span.minimum)
                all.add(span.maximum)
            }
            guard all.maximum > request.range.start, all.minimum <= request.range.end else { continue }
            let rows = first * RowSpan.rows..<min(view.rowCount, (first + size) * RowSpan.rows)
            parts.append(HeadRangeScan(self, wanted, rows, all, request))
        }
        return parts
    }
}
