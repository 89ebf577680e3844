package import Bytes

/// Sequences of 64-bit integers (field values, times, decimals of floats, codes of strings, bits), each in the cheapest
/// of a few forms: docs/formats/series-block.md, "Integers". Arithmetic wraps, so unsigned values and bit patterns are
/// as welcome. The number of integers is not stored.
package enum IntegerCodec {
    /// The forms, as the first byte names them; the highest bit says that everything was divided by a common divisor.
    package enum Form: UInt8 {
        /// All equal: the value.
        case constant = 0
        /// Runs: their number, the values, the lengths.
        case runs = 1
        /// The smallest value, then the distance of each to it, packed.
        case frame = 2
        /// The first value, then zigzag differences, packed.
        case delta = 3
        /// The first value, the smallest difference, then each difference's distance to that, packed.
        case deltaFrame = 4
        /// The first value, the first difference, then zigzag changes of the difference, packed.
        case deltaDelta = 5
    }

    package static let divided: UInt8 = 0x80

    @inlinable
    package static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value &<< 1) ^ (value &>> 63)) }

    @inlinable
    package static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// Reads exactly `count` integers and all bytes of the reader.
    package static func decodeAll(_ bytes: UnsafeRawBufferPointer, count: Int) throws(BytesError) -> [Int64] {
        var failure: BytesError?
        let values = [Int64](unsafeUninitializedCapacity: count) { target, filled in
            let part = UnsafeMutableBufferPointer(rebasing: target[..<count])
            do throws(BytesError) {
                try decodeAll(bytes, into: part)
                filled = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return values
    }

    /// Reads as many integers as fit into the target, from exactly these bytes. The target may be uninitialised.
    package static func decodeAll(
        _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Int64>
    ) throws(BytesError) {
        var reader = ByteReader(bytes)
        try decode(&reader, into: target)
        guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "bytes behind the last integer") }
    }

    /// Reads as many integers as fit into the target.
    package static func decode(
        _ reader: inout ByteReader, into target: UnsafeMutableBufferPointer<Int64>
    ) throws(BytesError) {
        guard !target.isEmpty else { return }
        let tag = try reader.uint8()
        guard let form = Form(rawValue: tag & ~divided) else {
            throw BytesError(code: .malformed, message: "integers in the unknown form \(tag)")
        }
        guard tag & divided != 0 else { return try decode(form, &reader, into: target) }
        let (first, divisor) = (try reader.varlong(), try reader.varlong())
        try decode(form, &reader, into: target)
        for index in target.indices { target[index] = first &+ target[index] &* divisor }
    }

    private static func decode(
        _ form: Form, _ reader: inout ByteReader, into target: UnsafeMutableBufferPointer<Int64>
    ) throws(BytesError) {
        switch form {
        case .constant: target.update(repeating: try reader.varlong())
        case .runs: try decodeRuns(&reader, into: target)
        case .frame:
            let base = try reader.varlong()
            try packed(&reader, into: target)
            for index in target.indices { target[index] = base &+ target[index] }
        case .delta:
            var value = try reader.varlong()
            try packed(&reader, into: target)
            for index in target.indices {
                value = value &+ unzigzag(UInt64(bitPattern: target[index]))
                target[index] = value
            }
        case .deltaFrame:
            let first = try reader.varlong()
            let base = try reader.varlong()
            try packed(&reader, into: target)
            // The first difference stands for itself alone: it is stored as if it were the base.
            var value = first &- base
            for index in target.indices {
                value = value &+ base &+ target[index]
                target[index] = value
            }
        case .deltaDelta:
            let first = try reader.varlong()
            var difference = try reader.varlong()
            try packed(&reader, into: target)
            var value = first &- difference
            for index in target.indices {
                difference = difference &+ unzigzag(UInt64(bitPattern: target[index]))
                value = value &+ difference
                target[index] = value
            }
        }
    }

    /// Packed integers; their bit patterns are what is wanted.
    private static func packed(
        _ reader: inout ByteReader, into target: UnsafeMutableBufferPointer<Int64>
    ) throws(BytesError) {
        var failure: BytesError?
        // Safe because the two types have one layout, and the memory is trivial.
        target.withMemoryRebound(to: UInt64.self) { target in
            do throws(BytesError) { try PatchedPacking.decode(&reader, into: target) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private static func decodeRuns(
        _ reader: inout ByteReader, into target: UnsafeMutableBufferPointer<Int64>
    ) throws(BytesError) {
        let runs = Int(try reader.unsignedVarint())
        guard runs <= target.count else {
            throw BytesError(code: .malformed, message: "\(runs) runs of fewer integers")
        }
        var failure: BytesError?
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: 2 * runs) { scratch in
            let values = UnsafeMutableBufferPointer(rebasing: scratch[..<runs])
            let lengths = UnsafeMutableBufferPointer(rebasing: scratch[runs...])
            do throws(BytesError) {
                try decodeFrame(&reader, into: values)
                try decodeFrame(&reader, into: lengths)
                var position = 0
                for run in 0..<runs {
                    guard lengths[run] >= 0, lengths[run] <= target.count - position else {
                        throw BytesError(code: .malformed, message: "runs of more integers than there are")
                    }
                    let end = position + Int(lengths[run])
                    UnsafeMutableBufferPointer(rebasing: target[position..<end]).update(repeating: values[run])
                    position = end
                }
                guard position == target.count else {
                    throw BytesError(code: .malformed, message: "runs of fewer integers than there are")
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// What stands within runs has no first byte: it is always a frame.
    private static func decodeFrame(
        _ reader: inout ByteReader, into target: UnsafeMutableBufferPointer<Int64>
    ) throws(BytesError) {
        try decode(.frame, &reader, into: target)
    }
}
