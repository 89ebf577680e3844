import Telemetry

/// Sums by bucket and level of one stream, while they are counted.
struct TotalsTable {
    private let request: TotalsRequest
    /// By bucket and level.
    private var sums: [Key: (lines: Int64, bytes: Int64)] = [:]
    /// What was counted last: times mostly come in order.
    private var last: Key?
    private var lines: Int64 = 0
    private var bytes: Int64 = 0

    private struct Key: Hashable {
        let bucket: Int32
        let level: LineLevel
    }

    init(_ request: TotalsRequest) { self.request = request }

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
        return sums.map {
            StreamTotals.Entry(
                bucket: $0.key.bucket, level: $0.key.level, lines: $0.value.lines, bytes: $0.value.bytes)
        }.sorted { ($0.bucket, $0.level.rawValue) < ($1.bucket, $1.level.rawValue) }
    }
}
