import Machine

extension Segment {
    /// Log bytes between two entries of a rebuilt index; any interval serves, so the topic's does not matter.
    static let rebuiltIntervalBytes = 4096

    /// Builds the indexes from the headers of the log, and stores them if it can.
    func rebuiltIndexes() throws(LogError) -> SegmentIndexes {
        let (builder, end) = try buildIndexes(upTo: sizeBytes)
        store(builder, endOffset: end)
        return builder.indexes
    }

    /// Writes both index files of a segment that is sealed now. Not being able to is no error: whoever needs them
    /// rebuilds them.
    func store(_ builder: IndexBuilder, endOffset: Int64) {
        do {
            try IndexFile.write(
                builder.offsets, baseOffset: baseOffset, coveredBytes: sizeBytes, directory: directory,
                files: context.files)
            try IndexFile.write(
                builder.times, baseOffset: baseOffset, coveredBytes: sizeBytes, directory: directory,
                files: context.files)
        } catch {
            // A half-written file does not verify, or does not cover the log, so leaving it is safe.
        }
    }

    private func buildIndexes(upTo end: Int64) throws(LogError) -> (IndexBuilder, Int64) {
        var builder = IndexBuilder(baseOffset: baseOffset, intervalBytes: Self.rebuiltIntervalBytes)
        var scanner = BatchScanner(try file(), from: 0, to: end, chunkBytes: 64 << 10)
        var next = baseOffset
        do {
            while case .batch(let facts, let position) = try scanner.next(expecting: next) {
                builder.add(
                    offset: facts.baseOffset, sizeBytes: facts.sizeBytes, maxTimestamp: facts.maxTimestamp,
                    position: position)
                next = facts.endOffset
            }
        } catch {
            throw LogError(.storage, "cannot read \(path(.log))", cause: error)
        }
        builder.finish(endOffset: next)
        return (builder, next)
    }
}
