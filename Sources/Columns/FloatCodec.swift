package import Bytes

/// Sequences of floats: as decimals (integers over a power of ten) if that gives back the very bits, otherwise their bit
/// patterns as integers. docs/formats/series-block.md, "Floats".
///
/// The idea is ALP's (Afroozeh, Kuffó, Boncz, "ALP: Adaptive Lossless floating-Point Compression", SIGMOD 2024). Unlike
/// it we divide by the power of ten instead of multiplying by its inverse: a quotient of two exact numbers is rounded
/// once, so that every decimal of up to 15 digits comes back, and one exponent serves for a page.
package enum FloatCodec {
    /// Bit patterns, without the zeros that all of them end with: `shift u8`, integers.
    package static let patterns: UInt8 = 0
    /// Decimals: `exponent u8`, `exceptions varint`, the exceptions' positions, integers, the exceptions' bit patterns.
    package static let decimals: UInt8 = 1

    /// The largest power of ten that is tried; those up to 22 are exact.
    package static let maximumExponent = 17
    package static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
    ]
    /// Integers up to here are exact as floats: 2^53.
    private static let exact = 9_007_199_254_740_992.0

    /// The decimal of a bit pattern, if it gives the pattern back.
    @inline(__always)
    private static func decimal(_ pattern: Int64, _ power: Double) -> Int64? {
        let value = Double(bitPattern: UInt64(bitPattern: pattern))
        let scaled = value * power
        guard abs(scaled) < exact else { return nil }
        let integer = Int64(scaled + (scaled < 0 ? -0.5 : 0.5))
        let back = Double(integer) / power
        return back.bitPattern == value.bitPattern ? integer : nil
    }

    /// The smallest exponent with which a value is a decimal.
    private static func exponent(_ pattern: Int64, from start: Int) -> Int? {
        (start...maximumExponent).first { decimal(pattern, powers[$0]) != nil }
    }

    /// Appends floats, which are given by their bit patterns.
    package static func encode(_ values: UnsafeBufferPointer<Int64>, into writer: inout ByteWriter) {
        guard !values.isEmpty else { return }
        guard var exponent = sampledExponent(values) else { return encodePatterns(values, into: &writer) }
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: values.count) { integers in
            // An exponent that misses many values of which a larger one would have more is raised, a few times at most.
            for _ in 0..<3 {
                var exceptions: [Int64] = []
                var raised = exponent
                convert(values, exponent, into: integers, exceptions: &exceptions, raised: &raised)
                if exceptions.count * 16 > values.count {
                    guard raised > exponent else { break }
                    exponent = raised
                    continue
                }
                writer.write(decimals)
                writer.write(UInt8(exponent))
                writer.writeUnsignedVarint(UInt32(exceptions.count))
                IntegerCodec.encode(exceptions, into: &writer)
                IntegerCodec.encode(UnsafeBufferPointer(integers), into: &writer)
                for place in exceptions { writer.write(values[Int(place)]) }
                return
            }
            encodePatterns(values, into: &writer)
        }
    }

    /// The exponent that the most of a few values need, or nil if too many are no decimals.
    private static func sampledExponent(_ values: UnsafeBufferPointer<Int64>) -> Int? {
        let step = max(1, values.count / 24)
        var (largest, failures, samples) = (0, 0, 0)
        for index in stride(from: 0, to: values.count, by: step) {
            samples += 1
            guard decimal(values[index], powers[largest]) == nil else { continue }
            if let found = exponent(values[index], from: largest) { largest = found } else { failures += 1 }
        }
        return failures * 4 > samples ? nil : largest
    }

    private static func convert(
        _ values: UnsafeBufferPointer<Int64>, _ exponent: Int, into integers: UnsafeMutableBufferPointer<Int64>,
        exceptions: inout [Int64], raised: inout Int
    ) {
        let power = powers[exponent]
        var last: Int64 = 0
        for index in values.indices {
            if let integer = decimal(values[index], power) {
                last = integer
            } else {
                exceptions.append(Int64(index))
                if exceptions.count <= 32, let needed = Self.exponent(values[index], from: exponent) {
                    raised = max(raised, needed)
                }
            }
            integers[index] = last
        }
    }

    private static func encodePatterns(_ values: UnsafeBufferPointer<Int64>, into writer: inout ByteWriter) {
        var all: Int64 = 0
        for value in values { all |= value }
        let shift = all == 0 ? 0 : all.trailingZeroBitCount
        writer.write(patterns)
        writer.write(UInt8(shift))
        guard shift > 0 else { return IntegerCodec.encode(values, into: &writer) }
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: values.count) { shifted in
            for index in values.indices { shifted[index] = values[index] &>> Int64(shift) }
            IntegerCodec.encode(UnsafeBufferPointer(shifted), into: &writer)
        }
    }

    /// Reads as many floats as fit into the target, from exactly these bytes. The target may be uninitialised.
    package static func decodeAll(
        _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Double>
    ) throws(BytesError) {
        guard !target.isEmpty else { return }
        var reader = ByteReader(bytes)
        var failure: BytesError?
        let form = try reader.uint8()
        let parameter = try reader.uint8()
        // Safe because the two types have one layout and are trivial; each integer is replaced where it stands.
        target.withMemoryRebound(to: Int64.self) { integers in
            do throws(BytesError) {
                switch form {
                case decimals: try decodeDecimals(&reader, exponent: Int(parameter), integers)
                case patterns:
                    try IntegerCodec.decode(&reader, into: integers)
                    guard parameter < 64 else { throw BytesError(code: .malformed, message: "a shift by \(parameter)") }
                    if parameter > 0 { for index in integers.indices { integers[index] &<<= Int64(parameter) } }
                default: throw BytesError(code: .malformed, message: "floats in the unknown form \(form)")
                }
                guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "bytes behind the last float") }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private static func decodeDecimals(
        _ reader: inout ByteReader, exponent: Int, _ target: UnsafeMutableBufferPointer<Int64>
    ) throws(BytesError) {
        let count = Int(try reader.unsignedVarint())
        guard exponent <= maximumExponent, count <= target.count else {
            throw BytesError(code: .malformed, message: "decimals with exponent \(exponent) and \(count) exceptions")
        }
        let places = try IntegerCodec.decodePrefix(&reader, count: count)
        try IntegerCodec.decode(&reader, into: target)
        let power = powers[exponent]
        for index in target.indices {
            target[index] = Int64(bitPattern: (Double(target[index]) / power).bitPattern)
        }
        for place in places {
            let pattern = try reader.int64()
            guard target.indices.contains(Int(place)) else {
                throw BytesError(code: .malformed, message: "an exception behind the last float")
            }
            target[Int(place)] = pattern
        }
    }
}

extension IntegerCodec {
    /// Reads `count` integers that others follow.
    package static func decodePrefix(_ reader: inout ByteReader, count: Int) throws(BytesError) -> [Int64] {
        var values = [Int64](repeating: 0, count: count)
        var failure: BytesError?
        values.withUnsafeMutableBufferPointer { target in
            do throws(BytesError) { try decode(&reader, into: target) } catch { failure = error }
        }
        if let failure { throw failure }
        return values
    }
}
