import Bytes
import Columns

/// Consecutive values of a tag, each without the beginning that it shares with the one before.
/// `prefixes' size varint, prefix lengths, the rest as a StringPiece`.
enum ValuePart {
    static func encode(_ values: ByteStrings, _ range: Range<Int>, into writer: inout ByteWriter) {
        var prefixes: [Int64] = []
        var rests = ByteStrings()
        for index in range {
            values.withString(index) { string in
                let shared = index == range.lowerBound ? 0 : values.withString(index - 1) { common($0, string) }
                prefixes.append(Int64(shared))
                rests.append(UnsafeRawBufferPointer(rebasing: string[shared...]))
            }
        }
        var packed = ByteWriter()
        IntegerCodec.encode(prefixes, into: &packed)
        writer.writeUnsignedVarint(UInt32(packed.count))
        packed.withUnsafeBytes { writer.write(contentsOf: $0) }
        StringPiece.encode(rests, into: &writer)
    }

    /// Appends the `count` values of a part to `values`.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, count: Int, into values: inout ByteStrings
    ) throws(BytesError) {
        var reader = ByteReader(bytes)
        let prefixes = try IntegerCodec.decodeAll(try reader.slice(Int(try reader.unsignedVarint())), count: count)
        let rests = try StringPiece.decode(try reader.slice(reader.remaining), limit: count)
        guard rests.count == count else {
            throw BytesError(code: .malformed, message: "\(rests.count) values instead of \(count)")
        }
        var (total, length) = (0, 0)
        for index in 0..<count {
            let shared = prefixes[index]
            guard shared >= 0, shared <= Int64(length), values.bytes.count + total < SeriesSection.maximumValueBytes
            else {
                throw BytesError(code: .malformed, message: "a value that shares \(shared) bytes of \(length)")
            }
            length = Int(shared) + Int(rests.offsets[index + 1] - rests.offsets[index])
            total += length
        }
        values.append(total: total, prefixes: prefixes, rests: rests)
    }

    private static func common(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let count = min(left.count, right.count)
        var index = 0
        while index < count, left[index] == right[index] { index += 1 }
        return index
    }
}

extension ByteStrings {
    /// Appends strings of `total` bytes, each of which begins as the one before it does.
    fileprivate mutating func append(total: Int, prefixes: [Int64], rests: ByteStrings) {
        let end = bytes.count
        offsets.reserveCapacity(offsets.count + rests.count)
        let added = [UInt8](unsafeUninitializedCapacity: total) { buffer, initialized in
            // Safe because the caller has added the lengths up, and no prefix is longer than the string before.
            guard let target = buffer.baseAddress else { return }
            rests.bytes.withUnsafeBufferPointer { source in
                var (before, place) = (0, 0)
                for index in 0..<rests.count {
                    let (start, shared) = (place, Int(prefixes[index]))
                    target.advanced(by: place).update(from: target.advanced(by: before), count: shared)
                    place += shared
                    let rest = Int(rests.offsets[index])..<Int(rests.offsets[index + 1])
                    if !rest.isEmpty, let source = source.baseAddress {
                        target.advanced(by: place).update(from: source.advanced(by: rest.lowerBound), count: rest.count)
                    }
                    place += rest.count
                    offsets.append(UInt32(end + place))
                    before = start
                }
            }
            initialized = total
        }
        bytes += added
    }
}

/// The series of consecutive values of a tag.
/// Lists: `0 u8, counts, first ordinals, distances`; or, for one value, `1 u8` and a bit per series.
enum PostingPart {
    /// `ends`: where the ordinals of each value begin in `ordinals`, and where those of the last end.
    static func encode(_ ordinals: [Int64], _ ends: ArraySlice<Int>, universe: Int, into writer: inout ByteWriter) {
        var (counts, firsts, distances): ([Int64], [Int64], [Int64]) = ([], [], [])
        for (start, end) in zip(ends, ends.dropFirst()) {
            counts.append(Int64(end - start))
            guard start < end else { continue }
            firsts.append(ordinals[start])
            for place in start + 1..<max(end, start + 1) { distances.append(ordinals[place] - ordinals[place - 1]) }
        }
        var lists = ByteWriter()
        for list in [counts, firsts, distances] { IntegerCodec.encode(list, into: &lists) }
        guard counts.count == 1, lists.count > (universe + 7) / 8, let start = ends.first, let end = ends.last else {
            writer.write(SeriesSection.lists)
            return lists.withUnsafeBytes { writer.write(contentsOf: $0) }
        }
        var bits = [UInt8](repeating: 0, count: (universe + 7) / 8)
        for ordinal in ordinals[start..<end] { bits[Int(ordinal) >> 3] |= 1 << UInt8(ordinal & 7) }
        writer.write(SeriesSection.bitmap)
        writer.write(contentsOf: bits)
    }

    /// Adds the series of the value at `place` among the `count` values of the part.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, place: Int, count: Int, into set: inout OrdinalSet
    ) throws(BytesError) {
        var reader = ByteReader(bytes)
        let form = try reader.uint8()
        if form == SeriesSection.bitmap {
            let bits = try reader.slice((set.universe + 7) / 8)
            for index in 0..<set.universe where bits[index >> 3] >> UInt8(index & 7) & 1 != 0 { set.insert(index) }
            return
        }
        guard form == SeriesSection.lists else {
            throw BytesError(code: .malformed, message: "an inverted index in the unknown form \(form)")
        }
        let counts = try IntegerCodec.decodePrefix(&reader, count: count)
        var (filled, total) = (0, 0)
        for count in counts {
            guard count >= 0, count <= Int64(set.universe - total) else {
                throw BytesError(code: .malformed, message: "a list of \(count) series")
            }
            filled += count > 0 ? 1 : 0
            total += Int(count)
        }
        let firsts = try IntegerCodec.decodePrefix(&reader, count: filled)
        let distances = try IntegerCodec.decodePrefix(&reader, count: total - filled)
        guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "bytes behind the last series") }
        guard place < count, counts[place] > 0 else { return }
        let before = counts[..<place]
        let listIndex = before.count { $0 > 0 }
        let start = before.reduce(0) { $0 + Int($1) } - listIndex
        var ordinal = firsts[listIndex]
        set.insert(Int(ordinal))
        for distance in distances[start..<start + Int(counts[place]) - 1] {
            ordinal = ordinal &+ distance
            set.insert(Int(ordinal))
        }
    }
}
