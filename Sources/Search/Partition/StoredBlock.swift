import Telemetry
import View

/// A block of the manifest that readers see.
final class StoredBlock: Sendable {
    let entry: BlockEntry
    let details: LineBlockDetails
    /// The open file, or why it cannot be read: a query that needs it fails with that.
    private let content: Result<LineBlock, SearchError>

    /// - Parameter damaged: where damage is noted, that of later reading too.
    init(_ entry: BlockEntry, from store: any BlockStore, noting damaged: DamagedLineBlocks) throws(SearchError) {
        self.entry = entry
        details = try LineBlockDetails(decoding: entry.details)
        do throws(ViewError) {
            let map = try store.map(entry)
            do throws(SearchError) {
                content = .success(
                    try LineBlock(map, name: "block \(entry.id)") { [id = entry.id] in damaged.add(id, $0) })
            } catch {
                content = .failure(error)
            }
        } catch {
            content = .failure(SearchError(.damaged, "block \(entry.id) cannot be read", cause: error))
        }
        // That of a newer format, for one, is no damage in the block.
        if case .failure(let error) = content { damaged.add(entry.id, error) }
    }

    /// The open file.
    func block() throws(SearchError) -> LineBlock { try content.get() }

    /// Whether a line of it may be in a window.
    func overlaps(_ range: TimeWindow) -> Bool {
        details.maximumTime > range.start && details.minimumTime <= range.end
    }

    /// Whether a deletion that is not applied to it may hide lines of it.
    func needs(_ deletion: Deletion) -> Bool {
        guard isConcerned(by: deletion) else { return false }
        // A block that cannot be read may have any streams.
        guard case .success(let block) = content else { return true }
        return block.streams(matching: deletion.selector.matchers).selectedCount > 0
    }

    private func isConcerned(by deletion: Deletion) -> Bool {
        details.appliedThrough <= deletion.offset
            && deletion.lines.concerns(from: details.minimumTime, through: details.maximumTime)
    }

    /// What deletions hide of its streams' lines.
    func deletions(_ snapshot: LineSnapshot) -> [Deletion] { snapshot.deletions.filter(isConcerned) }

    /// Chunks of one stream, with what hides lines of them.
    struct StreamChunks {
        let stream: Int
        let labels: StreamLabels
        /// In the order of time.
        let chunks: Range<Int>
        let hidden: [HiddenLines]
    }

    /// The streams that match and have chunks in a window that are not hidden as a whole.
    func streams(
        matching matchers: [LabelMatcher], in range: TimeWindow, _ snapshot: LineSnapshot
    ) throws(SearchError) -> [StreamChunks] {
        let block = try block()
        let deletions = deletions(snapshot)
        var found: [StreamChunks] = []
        block.streams(matching: matchers).forEach { stream in
            var chunks = block.chunks(ofStream: stream)
            while let first = chunks.first, block.chunks[first].maximumTime <= range.start { chunks.removeFirst() }
            while let last = chunks.last, block.chunks[last].minimumTime > range.end { chunks.removeLast() }
            guard !chunks.isEmpty else { return }
            let labels = block.labels(ofStream: stream)
            let hidden = deletions.filter { $0.matches(labels) }.map(\.lines)
            let isGone = chunks.allSatisfy { chunk in
                let (first, last) = (block.chunks[chunk].minimumTime, block.chunks[chunk].maximumTime)
                return hidden.contains { $0.hidesAll(from: first, through: last) }
            }
            if !isGone { found.append(StreamChunks(stream: stream, labels: labels, chunks: chunks, hidden: hidden)) }
        }
        return found
    }
}

extension HiddenLines {
    /// What of a chunk's lines is hidden by one of several.
    static func rows(of chunk: LineChunk, hidden: [HiddenLines]) throws(SearchError) -> RowSelection {
        var rows: RowSelection = .none
        for part in hidden
        where part.concerns(from: chunk.entry.minimumTime, through: chunk.entry.maximumTime) {
            var own = try chunk.rows(in: TimeWindow(start: part.first == .min ? .min : part.first - 1, end: part.last))
            if !part.containing.isEmpty, own != .none {
                own = own.intersection(try chunk.rows(where: .contains(part.containing)))
            }
            rows = rows.union(own)
        }
        return rows
    }
}
