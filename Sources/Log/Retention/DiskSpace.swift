import Machine
import Synchronization

/// Whether the disk has room for appends. A value: capacities go in, changes come out.
///
/// Appends are refused while less than a reserve is available, so that reads, deletes, retention and recovery always
/// have room to work: a disk filled to the last byte is what other brokers do not come back from by themselves.
struct DiskReserve: Sendable {
    enum Change: Sendable, Equatable {
        case none
        /// Appends are refused from now on.
        case reached
        /// There is room again.
        case left
    }

    /// What is kept free, in bytes; nil: by default.
    var configured: Int64?
    private(set) var isReached = false
    private(set) var capacity: VolumeCapacity?

    /// The default is a twentieth of the disk, and at most 1 GiB: ten seconds of appends at 100 MB/s.
    static let defaultShare: Int64 = 20
    static let defaultMaximumBytes: Int64 = 1 << 30

    init(configured: Int64?) {
        self.configured = configured
    }

    /// The bytes to be kept free on a disk of this size.
    func bytes(on capacity: VolumeCapacity) -> Int64 {
        configured ?? min(capacity.totalBytes / Self.defaultShare, Self.defaultMaximumBytes)
    }

    /// Takes what the disk says. Room has to be a tenth more than the reserve before appends go on, so that they do not
    /// flicker.
    mutating func note(_ capacity: VolumeCapacity) -> Change {
        self.capacity = capacity
        let reserve = bytes(on: capacity)
        let wasReached = isReached
        let needed = wasReached ? reserve + reserve / 10 : reserve
        isReached = reserve > 0 && capacity.availableBytes < needed
        if isReached == wasReached { return .none }
        return isReached ? .reached : .left
    }
}

/// The reserve as the partitions of a log share it: a relaxed load per append.
final class DiskSpace: Sendable {
    private let reserve: Mutex<DiskReserve>
    private let flag = Atomic(false)

    init(reserveBytes: Int64?) {
        reserve = Mutex(DiskReserve(configured: reserveBytes))
    }

    /// Whether appends are refused.
    var isShort: Bool { flag.load(ordering: .relaxed) }

    /// What is kept free, and what was found last; nil before the first look.
    var figures: (reserveBytes: Int64, capacity: VolumeCapacity)? {
        reserve.withLock { reserve in reserve.capacity.map { (reserve.bytes(on: $0), $0) } }
    }

    /// Keeps another amount free, from the next look on.
    func setReserve(_ bytes: Int64?) { reserve.withLock { $0.configured = bytes } }

    func note(_ capacity: VolumeCapacity) -> DiskReserve.Change {
        reserve.withLock { reserve in
            let change = reserve.note(capacity)
            flag.store(reserve.isReached, ordering: .relaxed)
            return change
        }
    }
}
