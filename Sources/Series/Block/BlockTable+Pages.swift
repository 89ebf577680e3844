import Bytes
import Columns
import Telemetry

extension BlockTable {
    /// Reads and verifies a page's header.
    func header(of page: Int, _ index: PageIndex) throws(SeriesError) -> PageHeader {
        let start = Int(index.positions[page])
        let limit = start + Int(index.lengths[page])
        func damage(_ reason: String) -> SeriesError { file.damage(part("page \(page)"), at: start, reason) }
        var reader = ByteReader(bytes(BlockRange(offset: start, count: limit - start)))
        do throws(BytesError) {
            let checksum = try reader.uint32()
            let found = try reader.slice(Int(try reader.uint32()))
            guard CRC32C.checksum(found) == checksum else {
                throw BytesError(code: .malformed, message: "the checksum")
            }
            let header = try PageHeader(found, position: start + reader.position, limit: limit, fields: fields)
            guard Int64(header.rows) == index.rows[page], Int64(header.firstSeries) == index.first[page] else {
                throw BytesError(code: .malformed, message: "the header and the index differ")
            }
            return header
        } catch {
            throw damage("the header: \(error.message)")
        }
    }

    /// The runs and the times of a page.
    func keys(
        of page: Int, _ header: PageHeader, _ index: PageIndex
    ) throws(SeriesError) -> (
        runs: [SeriesRun], times: [Int64]
    ) {
        let range = BlockRange(offset: header.series.offset, count: header.series.count + header.times.count)
        let bytes = try file.verified(range, header.keysChecksum, part("series and times of page \(page)"))
        return try decoding("page \(page)", at: range) { () throws(BytesError) in
            let times = try IntegerCodec.decodeAll(
                UnsafeRawBufferPointer(rebasing: bytes[header.series.count...]), count: header.rows)
            var runs = [SeriesRun(series: Int32(truncatingIfNeeded: header.firstSeries), count: Int32(header.rows))]
            if header.runCount > 1 {
                runs = try Self.runs(UnsafeRawBufferPointer(rebasing: bytes[..<header.series.count]), header)
            }
            guard let last = runs.last, Int64(last.series) == index.last[page] else {
                throw BytesError(code: .malformed, message: "the runs and the index differ")
            }
            return (runs, times)
        }
    }

    private static func runs(_ bytes: UnsafeRawBufferPointer, _ header: PageHeader) throws(BytesError) -> [SeriesRun] {
        var reader = ByteReader(bytes)
        let series = try IntegerCodec.decodePrefix(&reader, count: header.runCount)
        let counts = try IntegerCodec.decodePrefix(&reader, count: header.runCount)
        guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "bytes behind the runs") }
        var (runs, total, last): ([SeriesRun], Int64, Int64) = ([], 0, -1)
        runs.reserveCapacity(series.count)
        for (ordinal, count) in zip(series, counts) {
            guard ordinal > last, ordinal <= Int64(Int32.max), count > 0, count <= Int64(header.rows) - total else {
                throw BytesError(code: .malformed, message: "a run of \(count) rows of series \(ordinal)")
            }
            (total, last) = (total + count, ordinal)
            runs.append(SeriesRun(series: Int32(ordinal), count: Int32(count)))
        }
        guard total == Int64(header.rows), series[0] == Int64(header.firstSeries) else {
            throw BytesError(code: .malformed, message: "runs of \(total) rows")
        }
        return runs
    }

    /// A column of a page; a string's codes mean the piece of strings that belongs to the page, of `strings` strings.
    func column(
        _ entry: PageHeader.Entry, rows: Int, page: Int, strings: ByteStrings?
    ) throws(SeriesError) -> FieldColumn {
        let bytes = try file.verified(entry.range, entry.checksum, part("field \(entry.field) of page \(page)"))
        let type = fields[entry.field].type
        return try decoding("field \(entry.field) of page \(page)", at: entry.range) { () throws(BytesError) in
            guard entry.hasNulls else { return try FieldColumn(Self.dense(bytes, rows, type, strings)) }
            var reader = ByteReader(bytes)
            let flags = try IntegerCodec.decodePrefix(&reader, count: rows)
            var validity = [UInt64](repeating: 0, count: (rows + 63) / 64)
            var valid = 0
            for row in 0..<rows where flags[row] & 1 != 0 {
                validity[row >> 6] |= 1 << UInt64(row & 63)
                valid += 1
            }
            guard valid == entry.valid else { throw BytesError(code: .malformed, message: "\(valid) values") }
            let values = try Self.dense(try reader.slice(reader.remaining), valid, type, strings)
            return FieldColumn(values.spread(rows, validity), validity: validity)
        }
    }

    private static func dense(
        _ bytes: UnsafeRawBufferPointer, _ count: Int, _ type: FieldType, _ strings: ByteStrings?
    ) throws(BytesError) -> FieldColumn.Values {
        switch type {
        case .integer: return .integer(try IntegerCodec.decodeAll(bytes, count: count))
        case .float:
            return .float(
                try filled(count) { target throws(BytesError) in try FloatCodec.decodeAll(bytes, into: target) })
        case .unsigned:
            return .unsigned(try IntegerCodec.decodeAll(bytes, count: count).map { UInt64(bitPattern: $0) })
        case .boolean: return .boolean(try IntegerCodec.decodeAll(bytes, count: count).map { $0 & 1 != 0 })
        case .string:
            let integers = try IntegerCodec.decodeAll(bytes, count: count)
            let limit = UInt64(strings?.count ?? 0)
            var isSound = true
            let codes = integers.map { code in
                if UInt64(bitPattern: code) >= limit { isSound = false }
                return UInt32(truncatingIfNeeded: code)
            }
            guard isSound else { throw BytesError(code: .malformed, message: "a code behind \(limit) strings") }
            return .string(codes: codes, dictionary: strings ?? ByteStrings())
        }
    }

    private static func filled(
        _ count: Int, _ body: (UnsafeMutableBufferPointer<Double>) throws(BytesError) -> Void
    ) throws(BytesError) -> [Double] {
        var failure: BytesError?
        let values = [Double](unsafeUninitializedCapacity: count) { target, filled in
            do throws(BytesError) {
                try body(UnsafeMutableBufferPointer(rebasing: target[..<count]))
                filled = count
            } catch { failure = error }
        }
        if let failure { throw failure }
        return values
    }

    /// The strings of a piece.
    func piece(_ piece: Int, of field: Int, _ index: PageIndex) throws(SeriesError) -> ByteStrings {
        let found = index.pieces[field][piece]
        let bytes = try file.verified(found.bytes, found.checksum, part("strings of field \(field)"))
        return try decoding("strings of field \(field)", at: found.bytes) { () throws(BytesError) in
            try StringPiece.decode(bytes, limit: BlockFormat.maximumPieceStrings)
        }
    }
}

extension FieldColumn.Values {
    /// Moves values to the rows that have one; the others get anything.
    func spread(_ rows: Int, _ validity: [UInt64]) -> Self {
        func spread<T>(_ values: [T], _ filler: T) -> [T] {
            var result = [T](repeating: filler, count: rows)
            var place = 0
            for row in 0..<rows where validity[row >> 6] >> UInt64(row & 63) & 1 != 0 {
                result[row] = values[place]
                place += 1
            }
            return result
        }
        return switch self {
        case .absent: .absent
        case .float(let values): .float(spread(values, 0))
        case .integer(let values): .integer(spread(values, 0))
        case .unsigned(let values): .unsigned(spread(values, 0))
        case .boolean(let values): .boolean(spread(values, false))
        case .string(let codes, let dictionary): .string(codes: spread(codes, 0), dictionary: dictionary)
        }
    }
}
