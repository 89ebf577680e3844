/// One API: a declaration file, parsed.
struct API {
    var key: Int16
    var name: String
    var versions: ClosedRange<Int16>
    /// The first version with compact lengths and tagged fields; nil if there is none.
    var flexibleFrom: Int16?
    /// Whether responses always have header version 0 (ApiVersions: clients read it before they know the version).
    var hasPlainResponseHeader = false
    var request = Structure(name: "", versions: 0...0)
    var response = Structure(name: "", versions: 0...0)

    /// The file's name without extension, such as `00_Produce`.
    var fileName: String { (key < 10 ? "0\(key)" : "\(key)") + "_" + name }

    func isFlexible(_ version: Int16) -> Bool {
        flexibleFrom.map { version >= $0 } ?? false
    }
}

/// A message or a structure inside one.
final class Structure {
    let name: String
    /// The versions in which it occurs.
    let versions: ClosedRange<Int16>
    var documentation = ""
    var fields: [Field] = []
    /// Of a message: the structures declared in it, in order, at any depth.
    var nested: [Structure] = []

    init(name: String, versions: ClosedRange<Int16>) {
        self.name = name
        self.versions = versions
    }
}

/// A field of a structure.
struct Field {
    var name: String
    var type: FieldType
    /// The versions in which it occurs, within those of its structure.
    var versions: ClosedRange<Int16>
    /// The first version in which it may be null; nil if never.
    var nullableFrom: Int16?
    var tag: Int?
    /// The default as Swift text, or nil for the type's own.
    var defaultText: String?
    var documentation: String
}

indirect enum FieldType {
    case int8, int16, int32, int64, uint16, uint32, float64, bool, string, bytes, records, uuid, error
    case array(FieldType)
    case structure(Structure)

    init?(primitive name: String) {
        switch name {
        case "int8": self = .int8
        case "int16": self = .int16
        case "int32": self = .int32
        case "int64": self = .int64
        case "uint16": self = .uint16
        case "uint32": self = .uint32
        case "float64": self = .float64
        case "bool": self = .bool
        case "string": self = .string
        case "bytes": self = .bytes
        case "records": self = .records
        case "uuid": self = .uuid
        case "error": self = .error
        default: return nil
        }
    }

    /// The Swift type, not optional.
    var swiftName: String {
        switch self {
        case .int8: "Int8"
        case .int16: "Int16"
        case .int32: "Int32"
        case .int64: "Int64"
        case .uint16: "UInt16"
        case .uint32: "UInt32"
        case .float64: "Double"
        case .bool: "Bool"
        case .string: "String"
        case .bytes: "[UInt8]"
        case .records: "RecordsField"
        case .uuid: "Uuid"
        case .error: "ErrorCode"
        case .array(let element): "[\(element.swiftName)]"
        case .structure(let structure): structure.name
        }
    }

    /// The default of a field that is not nullable.
    var defaultText: String {
        switch self {
        case .int8, .int16, .int32, .int64, .uint16, .uint32, .float64: "0"
        case .bool: "false"
        case .string: "\"\""
        case .bytes, .array: "[]"
        case .records: ".null"
        case .uuid: ".zero"
        case .error: ".none"
        case .structure(let structure): "\(structure.name)()"
        }
    }

    /// The fewest bytes that a value takes on the wire.
    func minimumBytes(_ api: API, _ version: Int16) -> Int {
        switch self {
        case .int8, .bool: 1
        case .int16, .uint16, .error: 2
        case .int32, .uint32: 4
        case .int64, .float64: 8
        case .uuid: 16
        case .string: api.isFlexible(version) ? 1 : 2
        case .bytes, .records, .array: api.isFlexible(version) ? 1 : 4
        case .structure(let structure): structure.minimumBytes(api, version)
        }
    }

    /// The fewest bytes that a value takes on the wire in any version.
    func minimumBytes(_ api: API, in versions: ClosedRange<Int16>) -> Int {
        versions.map { minimumBytes(api, $0) }.min() ?? 1
    }
}

extension Structure {
    func minimumBytes(_ api: API, _ version: Int16) -> Int {
        var total = api.isFlexible(version) ? 1 : 0
        for field in fields where field.tag == nil && field.versions.contains(version) {
            if field.nullableFrom != nil, case .structure = field.type {
                total += 1
            } else {
                total += field.type.minimumBytes(api, version)
            }
        }
        return max(1, total)
    }

    /// Whether a `records` field stands in it at any depth.
    var holdsRecords: Bool { fields.contains { $0.type.holdsRecords } }
}

extension FieldType {
    var holdsRecords: Bool {
        switch self {
        case .records: true
        case .array(let element): element.holdsRecords
        case .structure(let structure): structure.holdsRecords
        default: false
        }
    }
}
