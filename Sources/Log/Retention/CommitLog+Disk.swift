import Machine

/// The disk: the reserve that stops appends, and the shares that topics may have of it.
extension CommitLog {
    /// Looks how full the disk is. Below the reserve, appends fail with `.noSpace` until there is room again.
    public func checkDisk() {
        guard let capacity = try? context.files.capacity(ofVolumeHolding: context.directory) else { return }
        let change = context.disk.note(capacity)
        guard change != .none, let figures = context.disk.figures else { return }
        let state =
            "\(capacity.availableBytes) of \(capacity.totalBytes) bytes are free, the reserve is "
            + "\(figures.reserveBytes)"
        if change == .reached {
            report(.error, "the disk is full: \(state); writes are refused until there is room")
        } else {
            report(.warning, "the disk has room again: \(state); writes go on")
        }
    }

    /// Whether appends are refused because less than the reserve is free.
    public var isDiskShort: Bool { context.disk.isShort }
    /// The bytes that are kept free; nil before the first `checkDisk()`.
    public var diskReserveBytes: Int64? { context.disk.figures?.reserveBytes }

    /// Removes the oldest segments of topics that have more than their share of the disk
    /// (`millrace.retention.disk.percent`), whichever partition they stand in.
    ///
    /// - Returns: bytes removed.
    @discardableResult
    public func enforceDiskShares() -> Int64 {
        let topics = registry.topics.filter { $0.configuration.retentionDiskPercent > 0 }
        guard !topics.isEmpty else { return 0 }
        guard let capacity = try? context.files.capacity(ofVolumeHolding: context.directory) else { return 0 }
        return topics.reduce(0) { $0 + enforceShare(of: $1, capacity.totalBytes) }
    }

    private static func share(of topic: Topic, seals: Bool) -> DiskShare {
        var share = DiskShare()
        for partition in topic.partitions {
            let (segments, growing) = partition.segmentsForShare(seals: seals)
            share.add(segments, growing: growing, partition: Int(partition.index))
        }
        return share
    }

    private func enforceShare(of topic: Topic, _ totalBytes: Int64) -> Int64 {
        let limit = totalBytes / 100 * Int64(topic.configuration.retentionDiskPercent)
        var share = Self.share(of: topic, seals: false)
        // What grows goes last, so that a share smaller than `segment.bytes` holds too.
        if share.totalBytes - share.removableBytes > limit { share = Self.share(of: topic, seals: true) }
        var drafts: [SnapshotDraft] = []
        for (index, offset) in share.cuts(toFit: limit).sorted(by: { $0.key < $1.key }) {
            do throws(LogError) {
                if let draft = try topic.partitions[index].expire(before: offset, .diskShare) { drafts.append(draft) }
            } catch {
                report(.warning, "retention by disk share: \(error)")
            }
        }
        return remove(drafts)
    }
}

/// Which segments of a topic go so that the rest fits its share: the oldest first, by their newest record. A value.
struct DiskShare: Sendable {
    struct Candidate: Sendable, Equatable {
        let sizeBytes: Int64
        /// The newest record's time, in milliseconds; -1 if it has none.
        let maxTimestamp: Int64
        /// The offset after its last record.
        let endOffset: Int64
    }

    private(set) var totalBytes: Int64 = 0
    private(set) var removableBytes: Int64 = 0
    private var candidates: [(partition: Int, order: Int, candidate: Candidate)] = []

    /// Adds a partition: what may be removed, oldest first, and the bytes of what may not.
    mutating func add(_ segments: [Candidate], growing: Int64, partition: Int) {
        totalBytes += growing
        // Within a partition only a prefix can go: no segment counts as older than one before it.
        var newest: Int64 = -1
        for (order, segment) in segments.enumerated() {
            newest = max(newest, segment.maxTimestamp)
            totalBytes += segment.sizeBytes
            removableBytes += segment.sizeBytes
            candidates.append(
                (
                    partition, order,
                    Candidate(
                        sizeBytes: segment.sizeBytes, maxTimestamp: newest, endOffset: segment.endOffset)
                ))
        }
    }

    /// Before which offset each partition is to be cut; partitions that stay as they are are left out.
    func cuts(toFit limit: Int64) -> [Int: Int64] {
        var excess = totalBytes - limit
        var cuts: [Int: Int64] = [:]
        let sorted = candidates.sorted {
            ($0.candidate.maxTimestamp, $0.partition, $0.order) < ($1.candidate.maxTimestamp, $1.partition, $1.order)
        }
        for (partition, _, candidate) in sorted {
            guard excess > 0 else { break }
            excess -= candidate.sizeBytes
            cuts[partition] = candidate.endOffset
        }
        return cuts
    }
}
