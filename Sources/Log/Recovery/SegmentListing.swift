import Machine

/// What stands in a partition's directory.
struct SegmentListing: Sendable {
    /// Ascending by base offset.
    var segments: [Segment] = []
    /// Offsets of producer snapshots, ascending.
    var snapshots: [Int64] = []
    /// False if there is no directory.
    var exists = false

    /// Lists a directory, and removes what a process that died left unfinished.
    init(_ directory: String, _ context: SegmentContext) throws(MachineError) {
        let files = context.files
        guard try files.information(at: directory) != nil else { return }
        exists = true
        var indexes: [(name: String, base: Int64)] = []
        for name in try files.contents(ofDirectory: directory) {
            let path = directory + "/" + name
            if name.hasSuffix(SegmentName.deleted) || name.hasSuffix(SegmentName.unfinished) {
                try files.remove(path)
            } else if let base = SegmentName.baseOffset(of: name, .log) {
                let size = try files.information(at: path)?.sizeBytes ?? 0
                segments.append(Segment(baseOffset: base, sizeBytes: size, directory: directory, context: context))
            } else if let offset = SegmentName.baseOffset(of: name, .snapshot) {
                snapshots.append(offset)
            } else if let base = SegmentName.baseOffset(of: name, .index)
                ?? SegmentName.baseOffset(of: name, .timeindex)
            {
                indexes.append((name, base))
            }
        }
        let bases = Set(segments.map(\.baseOffset))
        for index in indexes where !bases.contains(index.base) { try files.remove(directory + "/" + index.name) }
        segments.sort { $0.baseOffset < $1.baseOffset }
        snapshots.sort()
    }

    /// Removes segments that lie wholly below an offset, the log's start: they were being removed, in any order, when the
    /// process died.
    mutating func removeSegments(below start: Int64, _ files: any FileSystem) throws(MachineError) {
        while segments.count > 1, segments[1].baseOffset <= start {
            for kind in [SegmentName.Kind.index, .timeindex, .log] { try files.remove(segments[0].path(kind)) }
            segments.removeFirst()
        }
    }
}
