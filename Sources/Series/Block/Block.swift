import Bytes
public import Machine

/// An immutable file of points, open for reading: docs/formats/series-block.md. Any thread may call anything.
///
/// Opening verifies the footer. Sections are verified when they are first used, pages and pieces of strings whenever
/// they are decoded. Bytes that do not verify give `SeriesError` `.damaged` with the file's name, the part and the
/// position; never a trap.
public final class Block: Sendable {
    /// What the errors call the file.
    public let name: String
    /// What the footer says of all of it.
    public let details: BlockDetails
    /// The measurements, sorted by the bytes of their names.
    public let tables: [BlockTable]
    /// The size of the file in bytes.
    public let sizeBytes: Int

    /// Opens a block.
    ///
    /// - Parameter onDamage: called with each error of bytes that do not verify, now and whenever it is read, by the
    ///   thread that reads.
    public init(
        _ map: any MemoryMap, name: String, onDamage: @escaping @Sendable (SeriesError) -> Void = { _ in }
    ) throws(SeriesError) {
        self.name = name
        let file = BlockFile(map: map, name: name, onDamage: onDamage)
        sizeBytes = map.bytes.count
        let footer = try Self.footer(file)
        var reader = ByteReader(footer.bytes)
        do throws(BytesError) {
            var details = ByteReader(try reader.slice(Int(try reader.unsignedVarint())))
            self.details = try BlockDetails(&details)
            var tables: [BlockTable] = []
            for _ in 0..<(try reader.count(minimumBytes: 64)) {
                let table = try TableFooter(&reader, limit: footer.position)
                if let last = tables.last, SeriesKey.compare(last.measurement, table.name) >= 0 {
                    throw BytesError(code: .malformed, message: "measurements out of order")
                }
                tables.append(BlockTable(file, table))
            }
            guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "bytes behind the footer") }
            self.tables = tables
        } catch {
            throw file.damage("footer", at: footer.position, error)
        }
    }

    /// The table of a measurement.
    public func table(_ measurement: [UInt8]) -> BlockTable? {
        var (low, high) = (0, tables.count)
        while low < high {
            let middle = (low + high) / 2
            let order = SeriesKey.compare(tables[middle].measurement, measurement)
            if order == 0 { return tables[middle] }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    private static func footer(_ file: BlockFile) throws(SeriesError) -> (bytes: UnsafeRawBufferPointer, position: Int)
    {
        let bytes = file.bytes
        let least = BlockFormat.headerBytes + BlockFormat.trailerBytes
        guard bytes.count >= least else { throw file.damage("header", at: 0, "\(bytes.count) bytes are too few") }
        var header = ByteReader(bytes)
        guard (try? header.uint32()) == BlockFormat.magic, let version = try? header.uint16() else {
            throw file.damage("header", at: 0, "not a block of series")
        }
        guard version == BlockFormat.version else {
            throw SeriesError(
                version > BlockFormat.version ? .formatTooNew : .damaged,
                "\(file.name): format \(version) of blocks of series")
        }
        let end = bytes.count - BlockFormat.trailerBytes
        var trailer = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[end...]))
        guard let count = try? Int(trailer.uint32()), let checksum = try? trailer.uint32(),
            (try? trailer.uint32()) == BlockFormat.magic, count <= end - BlockFormat.headerBytes
        else { throw file.damage("trailer", at: end, "the file has no end") }
        let range = BlockRange(offset: end - count, count: count)
        return (try file.verified(range, checksum, "footer"), range.offset)
    }
}

/// A block's bytes, and how its errors are told.
struct BlockFile: Sendable {
    let map: any MemoryMap
    let name: String
    let onDamage: @Sendable (SeriesError) -> Void

    /// Valid as long as this value, or a copy, lives.
    var bytes: UnsafeRawBufferPointer { map.bytes }

    /// The bytes of a range, which must have the checksum.
    func verified(
        _ range: BlockRange, _ checksum: UInt32, _ part: @autoclosure () -> String
    ) throws(SeriesError)
        -> UnsafeRawBufferPointer
    {
        guard range.offset >= 0, range.count >= 0, range.count <= bytes.count - range.offset else {
            throw damage(part(), at: range.offset, "\(range.count) bytes reach behind the file")
        }
        let found = UnsafeRawBufferPointer(rebasing: bytes[range.offset..<range.offset + range.count])
        guard CRC32C.checksum(found) == checksum else {
            throw damage(part(), at: range.offset, "the checksum of \(range.count) bytes is another")
        }
        return found
    }

    func damage(_ part: String, at position: Int, _ reason: String) -> SeriesError {
        told(SeriesError(.damaged, "\(name), \(part), byte \(position): \(reason)"))
    }

    func damage(_ part: String, at position: Int, _ error: BytesError) -> SeriesError {
        told(SeriesError(.damaged, "\(name), \(part), byte \(position): \(error.message)", cause: error))
    }

    private func told(_ error: SeriesError) -> SeriesError {
        onDamage(error)
        return error
    }
}
