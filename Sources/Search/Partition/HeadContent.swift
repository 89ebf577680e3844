import Columns
import Telemetry

/// The lines of a frozen head, sorted for blocks: a block for each day.
struct SortedHead {
    static let dayNanoseconds: Int64 = 86_400_000_000_000

    let source: HeadSource
    /// The streams in the order of their labels' text, each with its rows in the order of time.
    let streams: [(number: Int, rows: [UInt32])]

    init(_ head: LineHead) {
        source = HeadSource(head, head.view(), later: [])
        let source = source
        let all = TimeWindow(start: .min, end: .max)
        streams = source.view.streams.indices.map { ($0, source.view.streams[$0].text) }
            .sorted { $0.1.utf8.lexicographicallyPrecedes($1.1.utf8) }
            .map { ($0.0, source.rows(of: $0.0, in: all, descending: false)) }
    }

    /// The day of a time, counted from 1970.
    static func day(of time: Int64) -> Int64 {
        time >= 0 ? time / dayNanoseconds : -((-(time + 1)) / dayNanoseconds) - 1
    }

    /// The most blocks that a cut writes.
    static let maximumBlocks = 256

    /// The stretches of days that become a block each: single days, or more where there are too many (lines with times
    /// of any age, on purpose).
    func spans() -> [ClosedRange<Int64>] {
        var days: Set<Int64> = []
        for stream in streams {
            var last: Int64?
            for row in stream.rows {
                let day = Self.day(of: source.head.rows[Int(row)].time)
                if day != last { days.insert(day) }
                last = day
            }
        }
        let sorted = days.sorted()
        let size = max(1, (sorted.count + Self.maximumBlocks - 1) / Self.maximumBlocks)
        return stride(from: 0, to: sorted.count, by: size).map {
            sorted[$0]...sorted[min($0 + size, sorted.count) - 1]
        }
    }
}

/// The lines of some days of a frozen head.
struct HeadContent: LineBlockContent {
    private let head: SortedHead
    private let days: ClosedRange<Int64>
    private var stream = -1
    private var rows: ArraySlice<UInt32> = []

    init(_ head: SortedHead, days: ClosedRange<Int64>) {
        self.head = head
        self.days = days
    }

    mutating func advance(_ block: inout LineBlockEncoder) throws(SearchError) -> Bool {
        let memory = head.source.head
        while !block.isFlushDue {
            guard let number = rows.popFirst() else {
                guard try beginStream(&block) else { return false }
                continue
            }
            let row = memory.rows[Int(number)]
            try block.append(
                time: row.time, level: row.level, line: memory.line(row),
                metadata: memory.sets.string(Int(row.metadata)))
        }
        return true
    }

    private mutating func beginStream(_ block: inout LineBlockEncoder) throws(SearchError) -> Bool {
        stream += 1
        guard stream < head.streams.count else { return false }
        let (number, all) = head.streams[stream]
        rows = all[index(all, of: days.lowerBound)..<index(all, of: days.upperBound + 1)]
        if !rows.isEmpty { try block.begin(head.source.view.streams[number]) }
        return true
    }

    /// The first row of a day or of a later one.
    private func index(_ rows: [UInt32], of day: Int64) -> Int {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if SortedHead.day(of: head.source.head.rows[Int(rows[middle])].time) < day {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
