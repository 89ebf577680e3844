/// Writes points as line protocol, one line each: series keys canonical, everything escaped, floats in the shortest
/// form that gives the same value, times in nanoseconds.
///
/// A name that ends in a backslash, and a measurement that begins with `#` or a blank, has no form that InfluxDB reads
/// as the same.
public struct LineWriter: Sendable {
    /// What was written.
    public private(set) var bytes: [UInt8] = []
    private var fieldCount = 0

    /// An empty writer.
    public init() {}

    /// Forgets what was written and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fieldCount = 0
    }

    /// Begins a line with a canonical series key.
    public mutating func begin(canonicalKey key: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: key)
        fieldCount = 0
    }

    /// Begins a line with a series key.
    public mutating func begin(_ key: SeriesKey) {
        key.appendCanonical(to: &bytes)
        fieldCount = 0
    }

    /// Adds a float, which is finite.
    public mutating func add(_ name: UnsafeRawBufferPointer, float value: Double) {
        addName(name)
        // Swift writes 1e+16 for 1e16, and 5e-324: both are read.
        bytes.append(contentsOf: value.description.utf8)
    }

    /// Adds a signed integer.
    public mutating func add(_ name: UnsafeRawBufferPointer, integer value: Int64) {
        addName(name)
        bytes.append(contentsOf: String(value).utf8)
        bytes.append(UInt8(ascii: "i"))
    }

    /// Adds an unsigned integer.
    public mutating func add(_ name: UnsafeRawBufferPointer, unsigned value: UInt64) {
        addName(name)
        bytes.append(contentsOf: String(value).utf8)
        bytes.append(UInt8(ascii: "u"))
    }

    /// Adds a boolean.
    public mutating func add(_ name: UnsafeRawBufferPointer, boolean value: Bool) {
        addName(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Adds a string of at most 64 KiB.
    public mutating func add(_ name: UnsafeRawBufferPointer, string value: UnsafeRawBufferPointer) {
        addName(name)
        bytes.append(LineGrammar.quote)
        LineEscaping.escape(value, .string, into: &bytes)
        bytes.append(LineGrammar.quote)
    }

    /// Ends the line. It must have a field.
    public mutating func end(time: Int64?) {
        precondition(fieldCount > 0, "a line without a field")
        if let time {
            bytes.append(LineGrammar.space)
            bytes.append(contentsOf: String(time).utf8)
        }
        bytes.append(LineGrammar.newline)
    }

    private mutating func addName(_ name: UnsafeRawBufferPointer) {
        bytes.append(fieldCount == 0 ? LineGrammar.space : LineGrammar.comma)
        LineEscaping.escape(name, .fieldKey, into: &bytes)
        bytes.append(LineGrammar.equals)
        fieldCount += 1
    }
}
