import Machine

/// Appends of several requests to one partition that are written together.
///
/// A write and a turn of the partition's lock cost a request of 100 bytes as much as everything else; a group pays them
/// once. Each member succeeds or fails by itself, but a failed write fails all that shared it. Keep one group per
/// thread: it reuses its memory.
public struct AppendGroup: ~Copyable {
    /// One request's batches.
    struct Member {
        let batches: BatchAdmission
        let durability: Durability
        let waiter: (any SyncWaiter)?
        /// Where its batches stand in the group's bytes.
        let range: Range<Int>
    }

    /// What became of a member.
    public enum Outcome: Sendable {
        /// It is appended, and durable or nobody's to wait for.
        case appended(AppendResult)
        /// It is appended, and its waiter will be called.
        case waiting(AppendResult)
        case failed(LogError)
    }

    /// Batches above this size, in bytes, are cheaper to append without a copy. 16 KiB: a copy costs 1 µs, the write of
    /// a page as much.
    public static let maximumMemberBytes = 16 << 10
    /// What one write takes at most, in bytes.
    public static let capacityBytes = 128 << 10
    /// The most members: they hold the partition's lock together.
    public static let maximumMembers = 256

    /// The partition of the members; nil while there are none.
    public private(set) var partition: Partition?
    private(set) var members: [Member] = []
    var outcomes: [Outcome] = []
    private let memory: UnsafeMutableRawBufferPointer
    private var byteCount = 0

    /// An empty group.
    public init() {
        memory = .allocate(byteCount: Self.capacityBytes, alignment: 16)
    }

    deinit { memory.deallocate() }

    /// The number of members.
    public var count: Int { members.count }
    /// Whether there is nothing to append.
    public var isEmpty: Bool { members.isEmpty }

    /// Whether batches of this size for this partition may join.
    public func hasRoom(for partition: Partition, byteCount: Int) -> Bool {
        guard byteCount <= Self.maximumMemberBytes else { return false }
        guard let mine = self.partition else { return true }
        return mine === partition && count < Self.maximumMembers && self.byteCount + byteCount <= Self.capacityBytes
    }

    /// Validates a request's batches, and copies them into the group. `hasRoom` must have said yes.
    ///
    /// - Parameters:
    ///   - bytes: one or several batches; the caller may reuse them afterwards.
    ///   - waiter: who wants to know when they are synced; only for durability `.now`.
    /// - Throws: what `Partition.append` throws about batches, but for what depends on the partition's state.
    public mutating func add(
        _ bytes: UnsafeMutableRawBufferPointer, to partition: Partition, durability: Durability,
        waiter: (any SyncWaiter)?
    ) throws(LogError) {
        precondition(hasRoom(for: partition, byteCount: bytes.count))
        let wall = partition.context.machine.clock.wallMilliseconds()
        let batches = try BatchAdmission(bytes, topic: partition.configuration, wallMilliseconds: wall)
        let range = byteCount..<(byteCount + bytes.count)
        memory[range].copyBytes(from: bytes)
        byteCount = range.upperBound
        self.partition = partition
        members.append(Member(batches: batches, durability: durability, waiter: waiter, range: range))
    }

    /// Appends every member, calls `body` with the outcome of each, in order, and is empty again.
    public mutating func commit(_ body: (Int, Outcome) -> Void) {
        guard let partition else { return }
        partition.append(&self)
        for index in members.indices { body(index, outcomes[index]) }
        self.partition = nil
        members.removeAll(keepingCapacity: true)
        outcomes.removeAll(keepingCapacity: true)
        byteCount = 0
    }

    /// The bytes of neighbouring members.
    func bytes(of range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        guard let first = range.first, let last = range.last else { return .init(start: nil, count: 0) }
        return .init(rebasing: memory[members[first].range.lowerBound..<members[last].range.upperBound])
    }
}
