package import Bytes

/// Unsigned integers in a fixed number of bits each, the first in the lowest bits of the first byte.
package enum BitPacking {
    /// The bytes that `count` integers take.
    package static func byteCount(_ count: Int, width: Int) -> Int { (count * width + 7) / 8 }

    /// The bits that an integer needs; 0 for 0.
    @inlinable
    package static func width(_ value: UInt64) -> Int { 64 &- value.leadingZeroBitCount }

    /// Appends the lowest `width` bits of each value.
    package static func pack(_ values: UnsafeBufferPointer<UInt64>, width: Int, into writer: inout ByteWriter) {
        guard width > 0, !values.isEmpty else { return }
        let bytes = byteCount(values.count, width: width)
        writer.write(atMost: bytes + 8) { room in
            // Safe because whole words are stored only from positions below `bytes`, and there is room for 8 more.
            guard let target = room.baseAddress else { return 0 }
            let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) &- 1
            var (word, filled, position): (UInt64, Int, Int) = (0, 0, 0)
            for value in values {
                let bits = value & mask
                word |= bits &<< UInt64(filled)
                filled &+= width
                if filled >= 64 {
                    target.storeBytes(of: word.littleEndian, toByteOffset: position, as: UInt64.self)
                    position &+= 8
                    filled &-= 64
                    word = filled == 0 ? 0 : bits &>> UInt64(width &- filled)
                }
            }
            if filled > 0 { target.storeBytes(of: word.littleEndian, toByteOffset: position, as: UInt64.self) }
            return bytes
        }
    }

    /// Reads `target.count` integers. `source` must hold their bytes, which the caller has checked.
    package static func unpack(
        _ source: UnsafeRawBufferPointer, width: Int, into target: UnsafeMutableBufferPointer<UInt64>
    ) {
        let count = target.count
        guard count > 0, let output = target.baseAddress else { return }
        guard width > 0, let input = source.baseAddress else { return target.update(repeating: 0) }
        precondition(width <= 64 && byteCount(count, width: width) <= source.count, "fewer bytes than integers")
        let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) &- 1
        // Safe because of the precondition: a whole word is read only where 8 bytes (9 for wide integers) remain.
        let reach = width <= 57 ? 8 : 9
        let whole = source.count < reach ? 0 : min(count, ((source.count - reach) * 8) / width + 1)
        var bit = 0
        if width <= 57 {
            for index in 0..<whole {
                let word = UInt64(littleEndian: input.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
                output[index] = (word &>> UInt64(bit & 7)) & mask
                bit &+= width
            }
        } else {
            for index in 0..<whole {
                let word = UInt64(littleEndian: input.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
                let next = UInt64(input.load(fromByteOffset: (bit &>> 3) &+ 8, as: UInt8.self))
                let shift = UInt64(bit & 7)
                output[index] = (word &>> shift | (next &<< 1) &<< (63 &- shift)) & mask
                bit &+= width
            }
        }
        for index in whole..<count { output[index] = one(source, bit: index * width, width: width) & mask }
    }

    /// One integer near the end, byte by byte.
    private static func one(_ source: UnsafeRawBufferPointer, bit: Int, width: Int) -> UInt64 {
        var value: UInt64 = 0
        var (position, shift) = (bit >> 3, -(bit & 7))
        while shift < width, position < source.count {
            let byte = UInt64(source[position])
            value |= shift < 0 ? byte >> UInt64(-shift) : byte << UInt64(shift)
            (position, shift) = (position + 1, shift + 8)
        }
        return value
    }
}

/// Bit packing where the few integers that are too wide for the rest are patched in: all get their lowest bits packed,
/// and a list says which have higher bits, and which.
///
/// `width u8, exceptions varint, [high width u8], low bits, [positions, high bits]`: docs/formats/series-block.md.
package enum PatchedPacking {
    /// What packing costs.
    package struct Plan {
        package var width: Int
        package var exceptions: Int
        package var highWidth: Int
        /// In bytes, all in.
        package var size: Int
    }

    /// How many integers need how many bits: 65 counts.
    package typealias Histogram = [65 of Int32]

    /// The cheapest width for integers of which `histogram` says how wide they are.
    package static func plan(_ histogram: borrowing Histogram, count: Int) -> Plan {
        var widest = 64
        while widest > 0, histogram[widest] == 0 { widest -= 1 }
        let place = BitPacking.width(UInt64(max(0, count - 1)))
        var best = Plan(width: widest, exceptions: 0, highWidth: 0, size: 2 + (count * widest + 7) / 8)
        var (exceptions, width) = (0, widest)
        while width > 0 {
            exceptions += Int(histogram[width])
            width -= 1
            let size = 4 + (count * width + 7) / 8 + (exceptions * (place + widest - width) + 14) / 8
            if size < best.size {
                best = Plan(width: width, exceptions: exceptions, highWidth: widest - width, size: size)
            }
        }
        return best
    }

    package static func encode(_ values: UnsafeBufferPointer<UInt64>, _ plan: Plan, into writer: inout ByteWriter) {
        writer.write(UInt8(plan.width))
        writer.writeUnsignedVarint(UInt32(plan.exceptions))
        if plan.exceptions > 0 { writer.write(UInt8(plan.highWidth)) }
        BitPacking.pack(values, width: plan.width, into: &writer)
        guard plan.exceptions > 0 else { return }
        let limit: UInt64 = (1 << UInt64(plan.width)) &- 1
        var (places, highs): ([UInt64], [UInt64]) = ([], [])
        for (index, value) in values.enumerated() where value > limit {
            places.append(UInt64(index))
            highs.append(value &>> UInt64(plan.width))
        }
        let place = BitPacking.width(UInt64(values.count - 1))
        places.withUnsafeBufferPointer { BitPacking.pack($0, width: place, into: &writer) }
        highs.withUnsafeBufferPointer { BitPacking.pack($0, width: plan.highWidth, into: &writer) }
    }

    package static func decode(
        _ reader: inout ByteReader, into target: UnsafeMutableBufferPointer<UInt64>
    ) throws(BytesError) {
        let width = Int(try reader.uint8())
        let exceptions = Int(try reader.unsignedVarint())
        let highWidth = exceptions > 0 ? Int(try reader.uint8()) : 0
        guard width + highWidth <= 64, exceptions <= target.count else {
            throw BytesError(code: .malformed, message: "packed integers of \(width) and \(highWidth) bits")
        }
        let low = try reader.slice(BitPacking.byteCount(target.count, width: width))
        BitPacking.unpack(low, width: width, into: target)
        guard exceptions > 0 else { return }
        let place = BitPacking.width(UInt64(target.count - 1))
        let places = try reader.slice(BitPacking.byteCount(exceptions, width: place))
        let highs = try reader.slice(BitPacking.byteCount(exceptions, width: highWidth))
        var isSound = true
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * exceptions) { scratch in
            let positions = UnsafeMutableBufferPointer(rebasing: scratch[..<exceptions])
            let parts = UnsafeMutableBufferPointer(rebasing: scratch[exceptions...])
            BitPacking.unpack(places, width: place, into: positions)
            BitPacking.unpack(highs, width: highWidth, into: parts)
            for index in 0..<exceptions {
                guard positions[index] < UInt64(target.count) else { return isSound = false }
                target[Int(positions[index])] |= parts[index] << UInt64(width)
            }
        }
        guard isSound else { throw BytesError(code: .malformed, message: "a patch behind the last integer") }
    }
}
