/// A file's bytes, in the page cache and on the disk, with what happened since the last sync between the two.
struct FileContent {
    /// What a read sees.
    private(set) var cached: [UInt8] = []
    /// What is on the disk for certain.
    private var durable: [UInt8] = []
    /// What was done since the last sync, in order.
    private var pending: [Change] = []
    /// Space reserved by `preallocate`, in bytes from the file's start.
    var reserved = 0
    var modifiedMilliseconds: Int64 = 0
    private var maps: [WeakMap] = []
    /// Whether a sync of the volume failed on this file, and no sync of the file itself has told so yet.
    private(set) var hasUntoldFailure = false

    /// The smallest part that a disk writes whole.
    private static let sector = 512

    private struct Change {
        enum Kind {
            case write(at: Int, [UInt8])
            case resize(Int)
        }

        let kind: Kind
        let sizeAfter: Int
    }

    private struct WeakMap {
        weak var map: SimulatedMap?
    }

    /// The space it takes, in bytes.
    var allocated: Int { max(cached.count, reserved) }

    // MARK: What a process does

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int) -> Int {
        guard position < cached.count else { return 0 }
        let count = min(buffer.count, cached.count - position)
        cached.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
        }
        return count
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer, at position: Int) {
        guard !bytes.isEmpty else { return }
        Self.copy(bytes, to: position, in: &cached)
        pending.append(Change(kind: .write(at: position, Array(bytes)), sizeAfter: cached.count))
        refreshMaps(position..<position + bytes.count)
    }

    mutating func truncate(to size: Int) {
        Self.resize(&cached, to: size)
        reserved = min(reserved, size)
        pending.append(Change(kind: .resize(size), sizeAfter: size))
    }

    mutating func map(_ count: Int) -> SimulatedMap {
        let map = SimulatedMap(Array(cached[..<count]))
        maps.removeAll { $0.map == nil }
        maps.append(WeakMap(map: map))
        return map
    }

    // MARK: What the disk does

    mutating func synchronize() {
        for change in pending {
            switch change.kind {
            case .write(let position, let bytes):
                bytes.withUnsafeBytes { Self.copy($0, to: position, in: &durable) }
            case .resize(let size):
                Self.resize(&durable, to: size)
            }
        }
        pending = []
    }

    /// A sync that failed: some sectors were written, the others are clean from now on, so that no later sync writes
    /// them. The cache keeps them, or shows the disk's, as file systems differ.
    mutating func failSynchronize(_ random: inout SeededGenerator) {
        let size = cached.count
        durable = survivors(&random, keepingResizes: true)
        pending = durable.count == size ? [] : [Change(kind: .resize(size), sizeAfter: size)]
        guard random.coin() else { return }
        cached = durable
        Self.resize(&cached, to: size)
        refreshMaps(0..<size)
    }

    /// A sync of the volume that failed: perhaps on this file.
    mutating func failVolume(_ random: inout SeededGenerator) {
        guard !pending.isEmpty, random.coin() else { return }
        failSynchronize(&random)
        hasUntoldFailure = true
    }

    /// Whether the next sync has to fail for what went wrong before. Told once, as the kernel does.
    mutating func takeUntoldFailure() -> Bool {
        defer { hasUntoldFailure = false }
        return hasUntoldFailure
    }

    mutating func cutPower(_ random: inout SeededGenerator) {
        durable = survivors(&random, keepingResizes: false)
        cached = durable
        pending = []
        maps = []
        reserved = 0
        hasUntoldFailure = false
    }

    /// What the disk holds after an end that nobody prepared: per sector the state after some change, and the size
    /// after some change.
    private func survivors(_ random: inout SeededGenerator, keepingResizes: Bool) -> [UInt8] {
        guard !pending.isEmpty else { return durable }
        let choice = Survival(changes: pending.count, &random)
        let hasResize = pending.contains { if case .resize = $0.kind { true } else { false } }
        let kept = keepingResizes && hasResize ? pending.count : choice.kept
        var result = durable
        for (index, change) in pending.enumerated() {
            switch change.kind {
            case .resize(let size):
                if index < kept { Self.resize(&result, to: size) }
            case .write(let position, let bytes):
                keepSectors(of: bytes, at: position, in: &result) { choice.keeps(change: index, sector: $0) }
            }
        }
        Self.resize(&result, to: kept == 0 ? durable.count : pending[kept - 1].sizeAfter)
        return result
    }

    private func keepSectors(of bytes: [UInt8], at position: Int, in result: inout [UInt8], if kept: (Int) -> Bool) {
        var start = position
        let end = position + bytes.count
        while start < end {
            let sector = start / Self.sector
            let next = min(end, (sector + 1) * Self.sector)
            if kept(sector) {
                bytes.withUnsafeBytes {
                    let part = UnsafeRawBufferPointer(rebasing: $0[start - position..<next - position])
                    Self.copy(part, to: start, in: &result)
                }
            }
            start = next
        }
    }

    private mutating func refreshMaps(_ range: Range<Int>) {
        guard !maps.isEmpty else { return }
        for map in maps { map.map?.refresh(range, from: cached) }
    }

    private static func copy(_ bytes: UnsafeRawBufferPointer, to position: Int, in target: inout [UInt8]) {
        if target.count == position { return target += Array(bytes) }
        if target.count < position + bytes.count { resize(&target, to: position + bytes.count) }
        target.withUnsafeMutableBytes {
            UnsafeMutableRawBufferPointer(rebasing: $0[position..<position + bytes.count]).copyMemory(from: bytes)
        }
    }

    private static func resize(_ target: inout [UInt8], to size: Int) {
        if size < target.count {
            target.removeLast(target.count - size)
        } else {
            // Appending an array copies it at once; appending a repetition goes byte by byte in debug builds.
            target += [UInt8](repeating: 0, count: size - target.count)
        }
    }
}

/// How much of a file's unsynced changes a power cut keeps.
struct Survival {
    /// The size of the file is the one after this many changes.
    let kept: Int
    private let order: Order

    private enum Order {
        /// The changes before a moment are kept whole; of the one at the moment, the sectors below a limit.
        case moment(Int, sectorsBelow: Int)
        /// Each sector has a moment of its own, as the disk wrote them in any order.
        case scattered(changes: Int, salt: UInt64)
    }

    init(changes: Int, _ random: inout SeededGenerator) {
        switch random.upTo(3) {
        case 0:
            kept = 0
            order = .moment(0, sectorsBelow: 0)
        case 1:
            kept = changes
            order = .moment(changes, sectorsBelow: 0)
        case 2:
            let moment = random.upTo(changes)
            // The size may be written before the bytes that it covers, or after them.
            kept = min(changes, moment + random.upTo(1))
            order = .moment(moment, sectorsBelow: random.upTo(64))
        default:
            kept = random.upTo(changes)
            order = .scattered(changes: changes, salt: random.next())
        }
    }

    /// Whether the sector shows the change. A sector that shows a change shows every earlier one to it as well,
    /// because it was written from a cache that held them all.
    func keeps(change: Int, sector: Int) -> Bool {
        switch order {
        case .moment(let moment, let limit):
            return change < moment || (change == moment && sector % 64 < limit)
        case .scattered(let changes, let salt):
            var generator = SeededGenerator(seed: salt ^ UInt64(sector))
            return change < generator.upTo(changes)
        }
    }
}
