import Telemetry

/// The sums of all streams, while they are counted.
struct TotalsTables {
    /// So many buckets of all streams together are kept side by side (64 MiB); of more most are empty as a rule, and
    /// only the others are kept.
    private static let maximumPlain = 500_000

    let request: TotalsRequest
    private let isPlain: Bool
    private(set) var byStream: [StreamLabels: TotalsTable] = [:]

    /// - Parameter streams: how many there may be, about.
    init(_ request: TotalsRequest, streams: Int) {
        self.request = request
        isPlain = request.bucketCount * max(1, streams) <= Self.maximumPlain
    }

    /// The sums of a stream, taken out: whoever counts puts them back.
    mutating func take(_ stream: StreamLabels) -> TotalsTable {
        byStream.removeValue(forKey: stream) ?? TotalsTable(request, isPlain: isPlain)
    }

    /// Puts the sums of a stream back.
    mutating func put(_ table: consuming TotalsTable, _ stream: StreamLabels) { byStream[stream] = table }
}

/// Sums by bucket and level of one stream, while they are counted.
struct TotalsTable {
    private let request: TotalsRequest
    private let isPlain: Bool
    /// By bucket and level.
    private var sums: [Key: (lines: Int64, bytes: Int64)] = [:]
    /// The same where there are few: of each bucket 8 levels, as far as was counted.
    private var plain: [(lines: Int64, bytes: Int64)] = []
    /// What was counted last: times mostly come in order.
    private var last: Key?
    private var lines: Int64 = 0
    private var bytes: Int64 = 0

    private struct Key: Hashable {
        let bucket: Int32
        let level: LineLevel
    }

    init(_ request: TotalsRequest, isPlain: Bool) {
        self.request = request
        self.isPlain = isPlain
    }

    /// The times of all buckets.
    static func range(of request: TotalsRequest) -> TimeWindow {
        let (length, isFar) = request.bucketNanoseconds.multipliedReportingOverflow(by: Int64(request.bucketCount))
        let (end, isBeyond) = request.start.addingReportingOverflow(length)
        return TimeWindow(start: request.start, end: isFar || isBeyond ? .max : end)
    }

    /// The bucket of a time, or nil.
    @inline(__always)
    func bucket(of time: Int64) -> Int32? {
        guard time > request.start else { return nil }
        let (distance, isFar) = time.subtractingReportingOverflow(request.start)
        guard !isFar else { return nil }
        let bucket = (distance &- 1) / request.bucketNanoseconds
        return bucket < Int64(request.bucketCount) ? Int32(truncatingIfNeeded: bucket) : nil
    }

    /// Counts lines of one time.
    @inline(__always)
    mutating func add(time: Int64, level: LineLevel, lines: Int64, bytes: Int64) {
        guard let bucket = bucket(of: time) else { return }
        add(bucket: bucket, level: level, lines: lines, bytes: bytes)
    }

    /// Counts lines of one bucket.
    @inline(__always)
    mutating func add(bucket: Int32, level: LineLevel, lines: Int64, bytes: Int64) {
        if isPlain {
            let place = Int(bucket) &* 8 &+ (request.byLevel ? Int(level.rawValue) : 0)
            if place >= plain.count {
                plain.append(contentsOf: repeatElement((lines: 0, bytes: 0), count: (place | 7) + 1 - plain.count))
            }
            plain[place].lines &+= lines
            plain[place].bytes &+= bytes
            return
        }
        let key = Key(bucket: bucket, level: request.byLevel ? level : .unknown)
        if key != last {
            settle()
            last = key
        }
        self.lines += lines
        self.bytes += bytes
    }

    private mutating func settle() {
        if let last, lines != 0 || bytes != 0 {
            sums[last, default: (0, 0)].lines += lines
            sums[last, default: (0, 0)].bytes += bytes
        }
        (lines, bytes) = (0, 0)
    }

    /// The sums, by bucket and then by level.
    mutating func entries() -> [StreamTotals.Entry] {
        settle()
        for (place, sum) in plain.enumerated() where sum.lines != 0 || sum.bytes != 0 {
            sums[Key(bucket: Int32(place / 8), level: LineLevel(rawValue: UInt8(place % 8)) ?? .unknown)] = sum
        }
        return sums.map {
            StreamTotals.Entry(
                bucket: $0.key.bucket, level: $0.key.level, lines: $0.value.lines, bytes: $0.value.bytes)
        }.sorted { ($0.bucket, $0.level.rawValue) < ($1.bucket, $1.level.rawValue) }
    }
}
