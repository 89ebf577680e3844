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
        for name in try files.contents(ofDirectory: directory) {
            let path = directory + "/" + name
            if name.hasSuffix(SegmentName.deleted) || name.hasSuffix(SegmentName.unfinished) {
                try files.remove(path)
            } else if let base = SegmentName.baseOffset(of: name, .log) {
                let size = try files.information(at: path)?.sizeBytes ?? 0
                segments.append(Segment(baseOffset: base, sizeBytes: size, directory: directory, context: context))
            } else if let offset = SegmentName.baseOffset(of: name, .snapshot) {
                snapshots.append(offset)
            }
        }
        segments.sort { $0.baseOffset < $1.baseOffset }
        snapshots.sort()
    }
}
