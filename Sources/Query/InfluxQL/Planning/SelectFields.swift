import Patterns
internal import Series
internal import Telemetry

/// What all sources of a SELECT hold together.
struct SourceColumns {
    /// Fields with the type that wins where measurements differ.
    private(set) var fields: [String: FieldType] = [:]
    /// Tag keys.
    private(set) var tags: Set<String> = []

    mutating func add(_ schema: MeasurementSchema) {
        for (name, type) in schema.fields {
            let name = String(decoding: name, as: UTF8.self)
            if let known = fields[name], known.rawValue <= type.rawValue { continue }
            fields[name] = type
        }
        for key in schema.tagKeys { tags.insert(String(decoding: key, as: UTF8.self)) }
    }
}

/// The fields of a SELECT with `*` and patterns replaced by names, without `time`, each with its column's name.
struct SelectFields {
    /// The name of the column of times.
    private(set) var timeName = "time"
    /// What the other columns are.
    private(set) var expressions: [Expression] = []
    /// Their names.
    private(set) var names: [String] = []

    private var aliases: [String?] = []
    private let columns: SourceColumns
    private let grouped: Set<String>

    init(_ statement: SelectStatement, _ columns: SourceColumns, grouped: Set<String>) throws(QueryError) {
        self.columns = columns
        self.grouped = grouped
        for field in statement.fields {
            if TimeCondition.isTime(field.expression) {
                timeName = field.alias ?? "time"
            } else {
                try expand(field)
            }
        }
        guard !statement.fields.allSatisfy({ TimeCondition.isTime($0.expression) }) else {
            throw QueryError(.execution, "at least 1 non-time field must be queried")
        }
        nameColumns()
    }

    private mutating func add(_ expression: Expression, _ alias: String?) {
        expressions.append(expression)
        aliases.append(alias)
    }

    private mutating func expand(_ field: SelectField) throws(QueryError) {
        switch field.expression {
        case .wildcard(let cast):
            for variable in variables(cast, matching: nil) { add(variable, nil) }
        case .regex(let text):
            let pattern = try QueryError.pattern(text)
            for variable in variables(nil, matching: pattern) { add(variable, nil) }
        case .call(let function, let arguments):
            guard let first = arguments.first, let choice = try choice(first) else {
                return add(field.expression, field.alias)
            }
            for (name, type) in columns.fields.sorted(by: { Self.precedes($0.key, $1.key) })
            where choice(name) && Self.takes(function, type) {
                add(
                    .call(function, [.variable(name, nil)] + arguments.dropFirst()),
                    "\(field.alias ?? function)_\(name)")
            }
        case .binary, .parenthesized:
            if field.expression.contains({ if case .wildcard = $0 { true } else { false } }) {
                throw QueryError(.execution, "unsupported expression with wildcard: \(Printer.text(field.expression))")
            }
            if field.expression.contains({ if case .regex = $0 { true } else { false } }) {
                throw QueryError(
                    .execution, "unsupported expression with regex field: \(Printer.text(field.expression))")
            }
            add(field.expression, field.alias)
        default: add(field.expression, field.alias)
        }
    }

    static func precedes(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }

    /// Which fields a function's argument stands for; nil if it is no wildcard.
    private func choice(_ argument: Expression) throws(QueryError) -> ((String) -> Bool)? {
        switch argument {
        case .wildcard: return { _ in true }
        case .regex(let text):
            let pattern = try QueryError.pattern(text)
            return { pattern.matches(Array($0.utf8)) }
        default: return nil
        }
    }

    /// Whether a function takes fields of a type, so that `function(*)` means them.
    private static func takes(_ function: String, _ type: FieldType) -> Bool {
        switch function {
        case "count", "first", "last", "distinct": true
        case "min", "max": type != .string
        default: type != .string && type != .boolean
        }
    }

    /// The fields and tags that `*` or a pattern stands for, by name. Where there are both of one name, a cast tells
    /// which is meant, and the field is first.
    private func variables(_ cast: Expression.Cast?, matching pattern: Pattern?) -> [Expression] {
        let fields = cast == .tag ? [] : Set(columns.fields.keys)
        let tags = cast == .field ? [] : columns.tags.subtracting(grouped)
        return fields.union(tags).filter { pattern?.matches(Array($0.utf8)) ?? true }.sorted(by: Self.precedes)
            .flatMap { name in
                guard columns.fields[name] != nil, columns.tags.contains(name) else {
                    return [Expression.variable(name, nil)]
                }
                let choices: [(Bool, Expression.Cast)] = [
                    (fields.contains(name), .field), (tags.contains(name), .tag),
                ]
                return choices.filter(\.0).map { .variable(name, $0.1) }
            }
    }

    /// Aliases stand; the other names get a number where they are taken.
    private mutating func nameColumns() {
        var taken: [String: Int] = [:]
        for case let alias? in aliases { taken[alias] = 1 }
        for (expression, alias) in zip(expressions, aliases) {
            if let alias {
                names.append(alias)
                continue
            }
            let usual = Self.name(expression)
            var name = usual
            if var count = taken[usual] {
                while taken["\(usual)_\(count)"] != nil { count += 1 }
                name = "\(usual)_\(count)"
                taken[usual] = count + 1
            }
            taken[name] = 1
            names.append(name)
        }
    }

    /// The name of a column without an alias.
    private static func name(_ expression: Expression) -> String {
        switch expression {
        case .variable(let name, _): return name
        case .call(let function, _): return function
        case .distinct: return "distinct"
        case .parenthesized(let inner): return name(inner)
        case .binary: return parts(expression).joined(separator: "_")
        default: return ""
        }
    }

    private static func parts(_ expression: Expression) -> [String] {
        switch expression {
        case .variable(let name, _): [name]
        case .call(let function, _): [function]
        case .distinct: ["distinct"]
        case .parenthesized(let inner): parts(inner)
        case .binary(_, let left, let right): parts(left) + parts(right)
        default: []
        }
    }
}
