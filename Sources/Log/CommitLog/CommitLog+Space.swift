public import Machine
import Synchronization

/// What the log takes of the disk, and what there is. Asks the file system.
extension CommitLog {
    /// The data directory, as it was given.
    public var directory: String { data.path }

    /// Total and available bytes of the volume that holds the log.
    ///
    /// - Throws: `.storage`.
    public func volumeCapacity() throws(LogError) -> VolumeCapacity {
        do {
            return try context.files.capacity(ofVolumeHolding: data.path)
        } catch {
            throw LogError(.storage, "cannot ask for the space of \(data.path)", cause: error)
        }
    }
}

extension Partition {
    /// The bytes of all segments, without opening a partition that nobody uses: its files are asked for their sizes,
    /// once.
    ///
    /// - Throws: `.storage`.
    public func storedBytes() throws(LogError) -> Int64 {
        let known: Int64? = core.withLock { core in
            guard core.phase != .cold else { return core.coldBytes }
            return core.segments.dropLast().reduce(core.position) { $0 + $1.sizeBytes }
        }
        if let known { return known }
        do {
            var sum: Int64 = 0
            let isThere = try context.files.information(at: directory) != nil
            for name in isThere ? try context.files.contents(ofDirectory: directory) : []
            where SegmentName.baseOffset(of: name, .log) != nil {
                sum += try context.files.information(at: directory + "/" + name)?.sizeBytes ?? 0
            }
            core.withLock { $0.coldBytes = $0.phase == .cold ? sum : nil }
            return sum
        } catch {
            throw LogError(.storage, "\(label): cannot list \(directory)", cause: error)
        }
    }
}
