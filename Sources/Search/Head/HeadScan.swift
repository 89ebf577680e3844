import Columns
import Synchronization
import Telemetry

/// Reads lines of a head, a stream after the other.
final class HeadScan: LineScan {
    /// The most lines of a batch, and about the most bytes.
    static let batchLines = 4_096
    static let batchBytes = 1 << 20

    let bounds: TimeWindow
    private let source: HeadSource
    private let request: LineRequest
    /// By stream the rows that may satisfy the condition; nil if all may.
    private let candidates: [Int: [UInt32]]?
    private let state: Mutex<State>

    /// What one thread at a time has.
    private struct State {
        /// The streams that are still to be read, the next one last.
        var streams: [Int]
        var stream = 0
        var rows: [UInt32] = []
        var place = 0
        /// Lines of the stream that were given.
        var given = 0
    }

    /// - Parameters:
    ///   - streams: of the source; all match.
    init(_ source: HeadSource, _ streams: [Int], _ request: LineRequest, candidates: [Int: [UInt32]]?) {
        self.source = source
        self.candidates = candidates
        self.request = request
        let tails = streams.map { source.view.tails[$0] }
        let minimum = tails.map(\.minimum).min() ?? 0
        bounds = TimeWindow(
            start: max(request.range.start, minimum == .min ? .min : minimum - 1),
            end: min(request.range.end, tails.map(\.maximum).max() ?? 0))
        state = Mutex(State(streams: streams.reversed()))
    }

    func next() throws(SearchError) -> LineBatch? {
        let outcome = state.withLock { state -> Result<LineBatch?, SearchError> in
            do throws(SearchError) { return .success(try next(&state)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private func next(_ state: inout State) throws(SearchError) -> LineBatch? {
        let evaluator = LineEvaluator(request.condition)
        while true {
            while state.place == state.rows.count || state.given >= request.limit ?? .max {
                guard let stream = state.streams.popLast() else { return nil }
                (state.stream, state.place, state.given) = (stream, 0, 0)
                state.rows = source.rows(
                    of: stream, in: request.range, descending: request.descending,
                    candidates: candidates.map { $0[stream] ?? [] })
            }
            let batch = fill(&state, evaluator)
            try evaluator.checkPatterns()
            if let batch { return batch }
        }
    }

    /// The next lines of the stream at hand, or nil if none of the rows that are left satisfies.
    private func fill(_ state: inout State, _ evaluator: LineEvaluator) -> LineBatch? {
        let (rows, head) = (source.head.rows, source.head)
        var builder = BatchBuilder(request, evaluator, stream: source.view.streams[state.stream])
        let most = min(Self.batchLines, (request.limit ?? .max) - state.given)
        while state.place < state.rows.count, builder.count < most, builder.rawBytes < Self.batchBytes {
            let row = rows[Int(state.rows[state.place])]
            state.place += 1
            let (line, level) = (head.line(row), row.level)
            guard evaluator.holds(line, level: level) else { continue }
            builder.append(time: row.time, level: level, line: line, set: row.metadata) { head.set(row.metadata) }
        }
        state.given += builder.count
        return builder.count > 0 ? builder.finish() : nil
    }
}

extension LineHead {
    /// A set of structured metadata.
    func set(_ number: UInt32) -> [StreamLabels.Label] { (try? MetadataText.decode(sets.string(Int(number)))) ?? [] }
}

extension HeadSource {
    /// The parts of a scan: so many that both cores have something to do.
    func parts(_ request: LineRequest) -> [any LineScan] {
        var found = streams(matching: request.matchers, in: request.range)
        var candidates: [Int: [UInt32]]?
        // One search through all lines pays where about all of them are asked for.
        let asked = found.reduce(0) { $0 + Int(view.tails[$1].count) }
        if let text = request.condition.requiredText, asked >= view.rowCount / 4, let rows = self.rows(holding: text) {
            candidates = rows
            found = found.filter { rows[$0] != nil }
        }
        guard !found.isEmpty else { return [] }
        if candidates == nil, let parts = rangeParts(found, asked: asked, request) { return parts }
        let total = found.reduce(0) { $0 + Int(view.tails[$1].count) }
        var parts: [any LineScan] = []
        var (start, lines) = (0, 0)
        for (place, stream) in found.enumerated() {
            lines += Int(view.tails[stream].count)
            guard lines >= max(Self.partLines, total / 8) || place == found.count - 1 else { continue }
            parts.append(HeadScan(self, Array(found[start...place]), request, candidates: candidates))
            (start, lines) = (place + 1, 0)
        }
        return parts
    }

    /// The fewest lines that are worth a part of their own.
    private static var partLines: Int { 4_096 }
}
