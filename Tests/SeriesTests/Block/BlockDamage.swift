import Bytes

@testable import Series

/// Changes a block somewhere and makes its checksums right again, so that what stands behind them is reached.
enum BlockDamage {
    static func change(_ bytes: inout [UInt8], _ random: inout some RandomNumberGenerator) {
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let position = Int.random(
                in: BlockFormat.headerBytes..<bytes.count - BlockFormat.trailerBytes, using: &random)
            bytes[position] = Bool.random(using: &random) ? .random(in: 0...255, using: &random) : 0xFF
        }
        correct(&bytes)
    }

    /// From the inside to the outside, as far as the block can still be understood.
    static func correct(_ bytes: inout [UInt8]) {
        correctFooter(&bytes)
        guard let block = try? Block(BytesMap(bytes), name: "changed") else { return }
        for table in block.tables {
            let footer = table.footer
            correctPages(&bytes, footer)
            replace(footer.seriesChecksum, by: checksum(bytes, footer.series), behind: footer.series, in: &bytes)
            replace(footer.indexChecksum, by: checksum(bytes, footer.index), behind: footer.index, in: &bytes)
        }
        correctFooter(&bytes)
    }

    private static func correctFooter(_ bytes: inout [UInt8]) {
        let end = bytes.count - BlockFormat.trailerBytes
        let count = (0..<4).reduce(0) { $0 << 8 | Int(bytes[end + $1]) }
        guard count <= end else { return }
        store(checksum(bytes, BlockRange(offset: end - count, count: count)), at: end + 4, in: &bytes)
    }

    private static func correctPages(_ bytes: inout [UInt8], _ footer: TableFooter) {
        let changed = bytes
        guard
            let index = try? changed.withUnsafeBytes({ raw in
                try PageIndex(
                    UnsafeRawBufferPointer(
                        rebasing: raw[footer.index.offset..<footer.index.offset + footer.index.count]), footer)
            })
        else { return }
        for page in 0..<index.count {
            let (start, length) = (Int(index.positions[page]), Int(index.lengths[page]))
            let count = (0..<4).reduce(0) { $0 << 8 | Int(bytes[start + 4 + $1]) }
            guard count <= length - 8 else { continue }
            let range = start + 8..<start + 8 + count
            let header = try? changed.withUnsafeBytes { raw in
                try PageHeader(
                    UnsafeRawBufferPointer(rebasing: raw[range]), position: range.upperBound, limit: start + length,
                    fields: footer.fields)
            }
            if let header {
                let keys = BlockRange(offset: header.series.offset, count: header.series.count + header.times.count)
                replace(header.keysChecksum, by: checksum(bytes, keys), within: range, in: &bytes)
                for entry in header.entries {
                    replace(entry.checksum, by: checksum(bytes, entry.range), within: range, in: &bytes)
                }
            }
            store(checksum(bytes, BlockRange(offset: range.lowerBound, count: count)), at: start, in: &bytes)
        }
    }

    private static func checksum(_ bytes: [UInt8], _ range: BlockRange) -> UInt32 {
        bytes.withUnsafeBytes {
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[range.offset..<range.offset + range.count]))
        }
    }

    private static func replace(_ old: UInt32, by new: UInt32, behind range: BlockRange, in bytes: inout [UInt8]) {
        replace(old, by: new, within: range.offset + range.count..<bytes.count, in: &bytes)
    }

    private static func replace(_ old: UInt32, by new: UInt32, within range: Range<Int>, in bytes: inout [UInt8]) {
        guard old != new else { return }
        let pattern = (0..<4).map { UInt8(truncatingIfNeeded: old >> UInt32(24 - 8 * $0)) }
        for position in range.dropLast(3) where Array(bytes[position..<position + 4]) == pattern {
            return store(new, at: position, in: &bytes)
        }
    }

    private static func store(_ value: UInt32, at position: Int, in bytes: inout [UInt8]) {
        for byte in 0..<4 { bytes[position + byte] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * byte)) }
    }
}
