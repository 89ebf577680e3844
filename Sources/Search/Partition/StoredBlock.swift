import Telemetry
import View

/// A block of the manifest that readers see.
final class StoredBlock: Sendable {
    let entry: BlockEntry
    let details: LineBlockDetails

    /// - Parameter damaged: where damage is noted, that of later reading too.
    init(_ entry: BlockEntry, from store: any BlockStore, noting damaged: DamagedLineBlocks) throws(SearchError) {
        self.entry = entry
        details = try LineBlockDetails(decoding: entry.details)
    }

    /// Whether a line of it may be in a window.
    func overlaps(_ range: TimeWindow) -> Bool {
        details.maximumTime > range.start && details.minimumTime <= range.end
    }

    /// Whether a deletion that is not applied to it may hide lines of it.
    func needs(_ deletion: Deletion) -> Bool {
        details.appliedThrough <= deletion.offset
            && deletion.lines.concerns(from: details.minimumTime, through: details.maximumTime)
    }

    /// Adds the streams that match and have a chunk in the window.
    func addStreams(
        matching matchers: [LabelMatcher], in range: TimeWindow, _ snapshot: LineSnapshot,
        to found: inout Set<StreamLabels>
    ) throws(SearchError) {
    }

    /// The parts of a scan.
    func parts(_ request: LineRequest, _ snapshot: LineSnapshot) throws(SearchError) -> [any LineScan] { [] }

    /// Counts the lines of the streams that match.
    func addTotals(
        _ request: TotalsRequest, _ snapshot: LineSnapshot, to tables: inout [StreamLabels: TotalsTable]
    ) throws(SearchError) {
    }
}
