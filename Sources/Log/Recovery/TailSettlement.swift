import Machine

/// Takes bytes that do not verify off the end of a log.
struct TailSettlement {
    let directory: String
    let segment: Segment
    /// The segments behind it.
    let later: [Segment]
    /// Where the sound log ends.
    let end: LogPosition
    let files: any FileSystem

    /// Whether a sound batch stands anywhere behind `end`.
    func isWorthKeeping() throws(MachineError) -> Bool {
        if try holdsBatch(segment, after: end.position) { return true }
        for other in later where try holdsBatch(other, after: -1) { return true }
        return false
    }

    /// Cuts the segment at `end`, and removes the later ones.
    ///
    /// - Parameter isKeeping: whether to move what goes to quarantine files first.
    func settle(keeping isKeeping: Bool) throws(MachineError) {
        let file = try files.open(segment.path(.log), .readWrite)
        defer { file.close() }
        if isKeeping {
            if segment.sizeBytes > end.position { try copyTail(of: file) }
            for other in later { try Quarantine.take(other.path(.log), files) }
        } else {
            for other in later { try files.remove(other.path(.log)) }
        }
        for other in later {
            try files.remove(other.path(.index))
            try files.remove(other.path(.timeindex))
        }
        // What replaces the tail must be durable before the tail goes.
        try files.synchronizeDirectory(directory)
        if try file.size() > end.position { try file.truncate(to: end.position) }
        try file.synchronize()
    }

    private func holdsBatch(_ segment: Segment, after position: Int64) throws(MachineError) -> Bool {
        guard segment.sizeBytes > max(position, 0) else { return false }
        let file = try files.open(segment.path(.log), .read)
        defer { file.close() }
        return try BatchSearch.firstBatch(
            in: file, after: position, end: segment.sizeBytes, minimumOffset: end.offset) != nil
    }

    private func copyTail(of file: any File) throws(MachineError) {
        let path = try Quarantine.place(for: "\(segment.path(.log)).\(end.position)", files)
        let copy = try files.open(path, .create)
        defer { copy.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
        defer { buffer.deallocate() }
        var position = end.position
        while position < segment.sizeBytes {
            let count = try file.read(into: buffer, at: position)
            guard count > 0 else { break }
            try copy.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: position - end.position)
            position += Int64(count)
        }
        try copy.synchronize()
    }
}
