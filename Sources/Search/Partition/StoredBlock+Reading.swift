import Telemetry

extension StoredBlock {
    /// Adds the streams that match and have a chunk in the window.
    func addStreams(
        matching matchers: [LabelMatcher], in range: TimeWindow, _ snapshot: LineSnapshot,
        to found: inout Set<StreamLabels>
    ) throws(SearchError) {
        for stream in try streams(matching: matchers, in: range, snapshot) { found.insert(stream.labels) }
    }

    /// So many chunks are parts of their own where a reader has a limit: those that it most likely reads.
    private static var singleParts: Int { 256 }
    /// The most chunks of a part, and about the most bytes of lines.
    private static var partChunks: Int { 64 }
    private static var partBytes: Int { 8 << 20 }

    /// The parts of a scan. With a limit those that a reader wants first are small.
    func parts(_ request: LineRequest, _ snapshot: LineSnapshot) throws(SearchError) -> [any LineScan] {
        let block = try block()
        var items: [BlockScan.Item] = []
        for stream in try streams(matching: request.matchers, in: request.range, snapshot) {
            for chunk in stream.chunks {
                let entry = block.chunks[chunk]
                let hidden = stream.hidden.filter { $0.concerns(from: entry.minimumTime, through: entry.maximumTime) }
                items.append(BlockScan.Item(chunk: chunk, stream: stream.labels, hidden: hidden))
            }
        }
        guard request.limit != nil else { return grouped(items[...], block, request) }
        items.sort {
            let (left, right) = (block.chunks[$0.chunk], block.chunks[$1.chunk])
            return request.descending
                ? left.maximumTime > right.maximumTime : left.minimumTime < right.minimumTime
        }
        let single = items.prefix(Self.singleParts).map { BlockScan(block, [$0], request) }
        // The rest by stream again.
        let rest = items.dropFirst(Self.singleParts).sorted { $0.chunk < $1.chunk }
        return single + grouped(rest[...], block, request)
    }

    private func grouped(
        _ items: ArraySlice<BlockScan.Item>, _ block: LineBlock, _ request: LineRequest
    ) -> [any LineScan] {
        var parts: [any LineScan] = []
        var group: [BlockScan.Item] = []
        var size = 0
        for item in items {
            group.append(item)
            size += block.chunks[item.chunk].rawBytes
            guard size >= Self.partBytes || group.count == Self.partChunks else { continue }
            parts.append(BlockScan(block, request.descending ? group.reversed() : group, request))
            (group, size) = ([], 0)
        }
        if !group.isEmpty { parts.append(BlockScan(block, request.descending ? group.reversed() : group, request)) }
        return parts
    }

    /// Counts the lines of the streams that match.
    func addTotals(_ snapshot: LineSnapshot, to tables: inout TotalsTables) throws(SearchError) {
        let (block, request) = (try block(), tables.request)
        let range = TotalsTable.range(of: request)
        let reader = try LineBlockReader()
        for stream in try streams(matching: request.matchers, in: range, snapshot) {
            var table = tables.take(stream.labels)
            for chunk in stream.chunks {
                let entry = block.chunks[chunk]
                let hidden = stream.hidden.filter { $0.concerns(from: entry.minimumTime, through: entry.maximumTime) }
                if hidden.isEmpty, try table.add(countersOf: chunk, block, request) { continue }
                try table.add(linesOf: reader.chunk(chunk, of: block), hidden)
            }
            tables.put(table, stream.labels)
        }
    }
}

extension TotalsTable {
    /// Counts a chunk from what the index and the counters say.
    ///
    /// - Returns: false if these do not tell exactly; then nothing is counted.
    fileprivate mutating func add(
        countersOf chunk: Int, _ block: LineBlock, _ request: TotalsRequest
    ) throws(SearchError) -> Bool {
        let entry = block.chunks[chunk]
        let bucket = bucket(of: entry.minimumTime)
        if let bucket, bucket == self.bucket(of: entry.maximumTime),
            !request.byLevel || entry.levels.nonzeroBitCount == 1
        {
            let level = LineLevel(rawValue: UInt8(entry.levels.trailingZeroBitCount)) ?? .unknown
            add(bucket: bucket, level: level, lines: Int64(entry.lines), bytes: Int64(entry.rawBytes))
            return true
        }
        let minute: Int64 = 60_000_000_000
        let counters = try block.counters(ofChunk: chunk)
        var buckets: [Int32?] = []
        buckets.reserveCapacity(counters.count)
        for counter in counters {
            let (start, isFar) = counter.minute.multipliedReportingOverflow(by: minute)
            guard !isFar, start <= .max - minute else { return false }
            // The chunk's lines of the minute: no further than the chunk reaches.
            let first = self.bucket(of: max(start + 1, entry.minimumTime))
            guard first == self.bucket(of: min(start + minute, entry.maximumTime)) else { return false }
            buckets.append(first)
        }
        for (counter, bucket) in zip(counters, buckets) {
            guard let bucket else { continue }
            add(bucket: bucket, level: counter.level, lines: Int64(counter.lines), bytes: Int64(counter.bytes))
        }
        return true
    }

    /// Counts a chunk line by line.
    fileprivate mutating func add(linesOf chunk: LineChunk, _ hidden: [HiddenLines]) throws(SearchError) {
        let rows = try HiddenLines.rows(of: chunk, hidden: hidden).inverted
        guard rows != .none else { return }
        let (times, levels) = (try chunk.times(), try chunk.levels())
        let lengths = try chunk.lengths(rows)
        for (place, row) in rows.rows(of: chunk.entry.lines).enumerated() {
            add(time: times[Int(row)], level: levels[Int(row)], lines: 1, bytes: Int64(lengths[place]))
        }
    }
}
