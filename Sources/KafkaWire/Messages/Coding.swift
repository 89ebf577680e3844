import Bytes

// Arrays and nullable structures, for the generated code. The closures are inlined.

extension ByteReader {
    /// An array; null is an error.
    @inline(__always)
    mutating func array<Element>(
        compact: Bool, minimumElementBytes: Int,
        _ element: (inout ByteReader) throws(BytesError) -> Element
    ) throws(BytesError) -> [Element] {
        let count = try arrayCount(compact: compact, minimumElementBytes: minimumElementBytes)
        return try elements(count, element)
    }

    /// An array that may be null.
    @inline(__always)
    mutating func nullableArray<Element>(
        compact: Bool, minimumElementBytes: Int,
        _ element: (inout ByteReader) throws(BytesError) -> Element
    ) throws(BytesError) -> [Element]? {
        guard let count = try nullableArrayCount(compact: compact, minimumElementBytes: minimumElementBytes) else {
            return nil
        }
        return try elements(count, element)
    }

    /// Reserves room for at most 64 elements in advance: the count is plausible, but not yet true.
    @inline(__always)
    private mutating func elements<Element>(
        _ count: Int, _ element: (inout ByteReader) throws(BytesError) -> Element
    ) throws(BytesError) -> [Element] {
        var result: [Element] = []
        guard count > 0 else { return result }
        result.reserveCapacity(min(count, 64))
        for _ in 0..<count { result.append(try element(&self)) }
        return result
    }
}

extension ByteWriter {
    /// An array.
    @inline(__always)
    mutating func writeArray<Element>(
        _ array: [Element], compact: Bool, _ element: (Element, inout ByteWriter) -> Void
    ) {
        writeArrayCount(array.count, compact: compact)
        for item in array { element(item, &self) }
    }

    /// An array that may be null.
    @inline(__always)
    mutating func writeArray<Element>(
        _ array: [Element]?, compact: Bool, _ element: (Element, inout ByteWriter) -> Void
    ) {
        guard let array else { return writeNull(compact: compact) }
        writeArray(array, compact: compact, element)
    }

    /// A structure that may be null: a byte, -1 for null or 1, and the structure.
    @inline(__always)
    mutating func writeNullable<Value>(_ value: Value?, _ content: (Value, inout ByteWriter) -> Void) {
        write(Int8(value == nil ? -1 : 1))
        if let value { content(value, &self) }
    }
}
