internal import Search
internal import Telemetry

/// The structured metadata of a batch's lines, with `detected_level`, which Loki counts among it. Lines that share a set
/// and a level share the labels.
struct MetadataLabels {
    private static let ofLevels = LineLevel.allCases.map { StreamLabels([.init("detected_level", $0.name)]) }

    private let metadata: LineMetadata?
    private let levels: [LineLevel]
    private let tellsLevels: Bool
    private var known: [UInt64: StreamLabels] = [:]

    init(_ batch: LineBatch, tellsLevels: Bool) {
        metadata = batch.metadata
        levels = batch.levels
        self.tellsLevels = tellsLevels
    }

    /// What lines with the same labels share.
    @inline(__always)
    func key(_ row: Int) -> UInt64 {
        UInt64(metadata?.codes[row] ?? 0) << 8 | (tellsLevels ? UInt64(levels[row].rawValue) : 0)
    }

    /// The labels of a line.
    mutating func labels(_ row: Int) -> StreamLabels {
        guard let metadata else { return tellsLevels ? Self.ofLevels[Int(levels[row].rawValue)] : StreamLabels([]) }
        let key = key(row)
        if let labels = known[key] { return labels }
        var set = metadata.sets[Int(metadata.codes[row])]
        if tellsLevels, !set.contains(where: { $0.name == "detected_level" }) {
            set.append(.init("detected_level", levels[row].name))
        }
        let labels = StreamLabels(set)
        known[key] = labels
        return labels
    }
}
