public import Columns
public import Telemetry

/// What a block is to hold, told piece by piece as `BlockWriter.create` asks for it: tables by name, and each table's
/// rows.
public protocol BlockContent {
    /// The next measurement; they come in the order of their names' bytes. Nil behind the last.
    mutating func nextTable() throws(SeriesError) -> BlockTableContent?

    /// The next rows of that measurement, or nil behind the last. They ascend strictly by (series, time): of several
    /// points at one time of a series the newest values have been chosen already (`PointMerge` does that). A batch has
    /// one column per field of the table, in its order; the runs' series are indices into the table's `series`. Any
    /// number of rows.
    mutating func nextBatch() throws(SeriesError) -> PointBatch?
}

/// A measurement as it goes into a block.
public struct BlockTableContent: Sendable {
    /// The measurement's name.
    public var name: [UInt8]
    /// The fields, sorted by the bytes of their names.
    public var fields: [(name: [UInt8], type: FieldType)]
    /// The series, in the order of their canonical keys.
    public var series: SeriesColumns

    /// Assembles a table.
    public init(name: [UInt8], fields: [(name: [UInt8], type: FieldType)], series: SeriesColumns) {
        self.name = name
        self.fields = fields
        self.series = series
    }
}

/// The series of one measurement with all their tags, by columns: for each tag key its distinct values, and a code per
/// series.
public struct SeriesColumns: Sendable {
    /// The number of series.
    public var count: Int
    /// The tag keys, sorted by their bytes.
    public var tagKeys: [[UInt8]]
    /// For each tag key: distinct values in any order; "" stands for a missing tag. The code of a value is its index.
    public var values: [ByteStrings]
    /// For each tag key: a code per series.
    public var codes: [[UInt32]]

    /// Assembles the columns.
    public init(count: Int, tagKeys: [[UInt8]], values: [ByteStrings], codes: [[UInt32]]) {
        self.count = count
        self.tagKeys = tagKeys
        self.values = values
        self.codes = codes
    }

    /// The tags of a series, sorted by key, without the missing ones.
    public func tags(of series: Int) -> [(key: [UInt8], value: [UInt8])] {
        var tags: [(key: [UInt8], value: [UInt8])] = []
        for column in tagKeys.indices {
            let value = values[column].withString(Int(codes[column][series])) { [UInt8]($0) }
            if !value.isEmpty { tags.append((tagKeys[column], value)) }
        }
        return tags
    }

    /// Appends the canonical key of a series.
    public func appendKey(of series: Int, to bytes: inout [UInt8]) {
        for column in tagKeys.indices {
            tagKeys[column].withUnsafeBytes { key in
                values[column].withString(Int(codes[column][series])) {
                    SeriesKey.append(key: key, value: $0, to: &bytes)
                }
            }
        }
    }
}
