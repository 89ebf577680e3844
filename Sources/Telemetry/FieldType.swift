/// The type of a field's values, as InfluxDB has them. The raw value is the code on the disk: never change one.
public enum FieldType: UInt8, Sendable, CaseIterable {
    /// A 64-bit float; neither NaN nor infinite.
    case float = 1
    /// A signed 64-bit integer.
    case integer = 2
    /// An unsigned 64-bit integer.
    case unsigned = 3
    /// UTF-8 text of at most 64 KiB.
    case string = 4
    /// True or false.
    case boolean = 5

    /// The type's name in InfluxDB's answers and error texts.
    public var name: String {
        switch self {
        case .float: "float"
        case .integer: "integer"
        case .unsigned: "unsigned"
        case .string: "string"
        case .boolean: "boolean"
        }
    }
}
