/// A series key taken apart: the measurement, and the tags sorted by the bytes of their keys, all unescaped. Used again
/// for the next key, it allocates nothing in the steady state.
public struct SeriesKey: Sendable {
    /// A tag: where its key and its value stand in `bytes`.
    public struct Tag: Sendable, Equatable {
        /// The key.
        public let key: Range<Int>
        /// The value.
        public let value: Range<Int>
    }

    /// Measurement, keys and values, unescaped.
    public private(set) var bytes: [UInt8] = []
    /// Where the measurement stands.
    public private(set) var measurement: Range<Int> = 0..<0
    /// The tags, sorted.
    public private(set) var tags: [Tag] = []

    /// A key without anything.
    public init() {}

    /// Takes apart what `LineParser` gave as a point's key, which it has checked.
    public mutating func parse(_ key: UnsafeRawBufferPointer) {
        bytes.removeAll(keepingCapacity: true)
        tags.removeAll(keepingCapacity: true)
        var position = LineGrammar.find(LineGrammar.comma, key, from: 0)
        measurement = append(key, 0..<position, .measurement)
        while position < key.count {
            let equals = LineGrammar.find(LineGrammar.equals, key, from: position + 1)
            let end = LineGrammar.find(LineGrammar.comma, key, from: Swift.min(equals + 1, key.count))
            let name = append(key, position + 1..<equals, .tag)
            tags.append(Tag(key: name, value: append(key, Swift.min(equals + 1, end)..<end, .tag)))
            position = end
        }
        sort()
    }

    /// Appends the canonical form: `measurement,key=value,…`, the tags sorted by key, everything escaped.
    public func appendCanonical(to result: inout [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            LineEscaping.escape(bytes[slice: measurement], .measurement, into: &result)
            for tag in tags {
                result.append(LineGrammar.comma)
                LineEscaping.escape(bytes[slice: tag.key], .tag, into: &result)
                result.append(LineGrammar.equals)
                LineEscaping.escape(bytes[slice: tag.value], .tag, into: &result)
            }
        }
    }

    private mutating func append(
        _ key: UnsafeRawBufferPointer, _ range: Range<Int>, _ place: LineEscaping.Place
    ) -> Range<Int> {
        let start = bytes.count
        let text = key[slice: range]
        if text.contains(LineGrammar.backslash) {
            LineEscaping.unescape(text, place, into: &bytes)
        } else {
            bytes.append(contentsOf: text)
        }
        return start..<bytes.count
    }

    /// Few tags, mostly sorted already: each is moved to its place.
    private mutating func sort() {
        bytes.withUnsafeBytes { bytes in
            for index in tags.indices.dropFirst() {
                var place = index
                while place > 0,
                    ByteOrder.precedes(bytes[slice: tags[place].key], bytes[slice: tags[place - 1].key])
                {
                    tags.swapAt(place, place - 1)
                    place -= 1
                }
            }
        }
    }
}
