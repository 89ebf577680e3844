import Patterns
internal import Series
internal import Telemetry

/// Collects the fields and tags that a plan needs of one measurement, and says which is which: a field if the measurement
/// has one of that name, else a tag; a tag that it lacks has the value "".
struct ColumnBinder {
    let schema: MeasurementSchema
    /// The types that fields have over all measurements of the statement; nil where that does not matter.
    let united: SourceColumns?
    private(set) var fields: [[UInt8]] = []
    private(set) var tagKeys: [[UInt8]] = []
    /// The patterns used, which may give up.
    private(set) var patterns: [Pattern] = []

    init(_ schema: MeasurementSchema, _ united: SourceColumns? = nil) {
        self.schema = schema
        self.united = united
    }

    /// The types of the fields collected.
    var fieldTypes: [FieldType?] { fields.map { type(ofField: $0) } }

    func type(ofField name: [UInt8]) -> FieldType? { schema.fields.first { $0.name == name }?.type }

    /// The type of a field that is selected; nil if the measurement lacks it, or has it with a type that does not fit
    /// into the column that other measurements share.
    func selectedType(_ name: String) -> FieldType? {
        guard let type = type(ofField: Array(name.utf8)) else { return nil }
        guard let wanted = united?.fields[name] else { return type }
        return type == wanted || (type.isNumber && wanted.isNumber) ? type : nil
    }

    mutating func field(_ name: [UInt8]) -> Int {
        if let index = fields.firstIndex(of: name) { return index }
        fields.append(name)
        return fields.count - 1
    }

    mutating func tag(_ name: [UInt8]) -> Int {
        if let index = tagKeys.firstIndex(of: name) { return index }
        tagKeys.append(name)
        return tagKeys.count - 1
    }

    func isField(_ name: String, _ cast: Expression.Cast?) -> Bool {
        switch cast {
        case .tag: false
        case nil: type(ofField: Array(name.utf8)) != nil
        default: true
        }
    }

    /// A name in a SELECT; nil if the measurement has neither field nor tag of that name.
    mutating func selected(_ name: String, _ cast: Expression.Cast?) -> RowExpression? {
        let bytes = Array(name.utf8)
        if isField(name, cast) {
            guard let own = selectedType(name) else { return nil }
            guard let cast, let type = FieldType(cast), type != own else {
                return .column(.field(field(bytes)))
            }
            guard own.isNumber, type.isNumber else { return nil }
            return .cast(type, .column(.field(field(bytes))))
        }
        return schema.tagKeys.contains(bytes) ? .column(.tag(tag(bytes))) : nil
    }

    mutating func pattern(_ text: String) throws(QueryError) -> Pattern {
        let pattern = try QueryError.pattern(text)
        patterns.append(pattern)
        return pattern
    }
}

extension FieldType {
    /// Whether values are numbers.
    var isNumber: Bool { self == .float || self == .integer || self == .unsigned }

    /// The type that a cast names; nil for `::field` and `::tag`.
    init?(_ cast: Expression.Cast) {
        switch cast {
        case .float: self = .float
        case .integer: self = .integer
        case .unsigned: self = .unsigned
        case .string: self = .string
        case .boolean: self = .boolean
        case .field, .tag: return nil
        }
    }
}
