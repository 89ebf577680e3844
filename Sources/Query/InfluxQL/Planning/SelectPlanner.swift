import Patterns
internal import Series
internal import Telemetry

/// A SELECT, ready to run.
struct SelectPlan {
    /// One measurement's part.
    struct Part {
        var measurement: [UInt8]
        var source: any PointSource
        /// The tags of GROUP BY, in their order.
        var tagKeys: [[UInt8]]
        var plan: QueryPlan
    }

    /// The names of the columns, the time's first.
    var columns: [String]
    /// The measurements, in the order of the answer.
    var parts: [Part] = []
    /// The patterns used, which may give up.
    var patterns: [Pattern] = []
}

/// A measurement that a SELECT reads.
struct SelectSource {
    var name: [UInt8]
    var retentionPolicy: [UInt8]?
    var source: any PointSource
    var schema: MeasurementSchema
}

/// Turns SELECT statements into plans.
struct SelectPlanner {
    let statement: SelectStatement
    let sources: [SelectSource]
    let now: Int64

    /// What the statement means for measurements that exist.
    ///
    /// - Throws: `execution` with InfluxDB's words.
    func plan() throws(QueryError) -> SelectPlan {
        var time = try TimeCondition(statement.condition, now: now)
        let dimensions = try SelectDimensions(statement.dimensions, now: now)
        var columns = SourceColumns()
        for source in sources { columns.add(source.schema) }
        let keys = dimensions.keys(among: columns.tags)
        let fields = try SelectFields(statement, columns, grouped: Set(keys))
        let calls = try SelectCalls(fields.expressions)
        try check(calls, dimensions, fields, columns)
        if dimensions.window != nil { time.limit(to: now) }
        var plan = SelectPlan(columns: [fields.timeName] + fields.names)
        guard let range = time.range, !fields.expressions.isEmpty else { return plan }
        for source in sources {
            var binder = ColumnBinder(source.schema, columns)
            let grouping = keys.map { binder.tag(Array($0.utf8)) }
            let (tags, filter) = try binder.plan(time.rest)
            let body =
                try calls.calls.isEmpty
                ? rows(fields.expressions, &binder)
                : aggregates(fields.expressions, calls, dimensions.window, time, &binder)
            plan.patterns += binder.patterns
            guard let body else { continue }
            var request = ScanRequest(
                measurement: source.name, retentionPolicy: source.retentionPolicy, range: range,
                fields: binder.fields)
            request.tags = tags
            request.tagKeys = binder.tagKeys
            request.descending = statement.descending == true
            request.tests = filter?.stringTests(binder.fields) ?? []
            var part = QueryPlan(
                scan: request, fieldTypes: binder.fieldTypes, filter: filter, grouping: grouping, body: body)
            part.limit = statement.limit > 0 ? statement.limit : nil
            part.offset = statement.offset
            part.groupLimit = statement.seriesLimit > 0 ? statement.seriesLimit : nil
            part.groupOffset = statement.seriesOffset
            plan.parts.append(
                .init(
                    measurement: source.name, source: source.source, tagKeys: keys.map { Array($0.utf8) }, plan: part))
        }
        if statement.descending == true { plan.parts.reverse() }
        return plan
    }

    private func check(
        _ calls: SelectCalls, _ dimensions: SelectDimensions, _ fields: SelectFields, _ columns: SourceColumns
    ) throws(QueryError) {
        if calls.calls.isEmpty {
            if dimensions.window != nil {
                throw QueryError(.execution, "GROUP BY requires at least one aggregate function")
            }
            if statement.fill == .none {
                throw QueryError(.execution, "fill(none) must be used with a function")
            }
            if statement.fill == .linear {
                throw QueryError(.execution, "fill(linear) must be used with a function")
            }
        }
        for call in calls.calls {
            guard let type = columns.fields[call.field], !call.function.takes(type) else { continue }
            throw QueryError(
                .execution, "unsupported \(call.name) iterator type: *query.\(type.name)InterruptIterator")
        }
        for expression in fields.expressions { try expression.checkArithmetic(columns) }
    }

    /// A row per point; nil if no field of the measurement is selected.
    private func rows(
        _ expressions: [Expression], _ binder: inout ColumnBinder
    ) throws(QueryError) -> QueryPlan.Body? {
        var columns: [RowExpression] = []
        for expression in expressions { columns.append(binder.row(expression)) }
        var presence: Set<Int> = []
        for column in columns { column.fields(into: &presence) }
        guard !presence.isEmpty else { return nil }
        // Every tag, so that points of equal times can be put into the order of their series.
        if binder.schema.tagKeys.count <= 32 {
            for key in binder.schema.tagKeys { _ = binder.tag(key) }
        }
        return .rows(RowBody(columns: columns, presence: presence.sorted()))
    }

    private func aggregates(
        _ expressions: [Expression], _ calls: SelectCalls, _ window: Window?, _ time: TimeCondition,
        _ binder: inout ColumnBinder
    ) throws(QueryError) -> QueryPlan.Body? {
        guard calls.calls.contains(where: { binder.selectedType($0.field) != nil }) else { return nil }
        var bound: [AggregateCall] = []
        for call in calls.calls {
            // A field of a type that does not fit is read as one that is not there.
            let name = binder.selectedType(call.field) == nil ? [] : Array(call.field.utf8)
            bound.append(AggregateCall(function: call.function, field: binder.field(name)))
        }
        var body = AggregateBody(
            calls: bound, companions: [], columns: [], window: window, fill: fill,
            anchor: time.hasLower ? time.lower : 0,
            timeOfPoint: window == nil && calls.calls.count == 1 && calls.calls[0].function.isSelector)
        var next = 0
        for expression in expressions {
            body.columns.append(binder.aggregate(expression, &body.companions, &next))
        }
        return .aggregates(body)
    }

    private var fill: WindowFill {
        switch statement.fill {
        case .null: .null
        case .none: .none
        case .previous: .previous
        case .linear: .linear
        case .number(let value): .value(.float(value))
        case .integer(let value): .value(.integer(value))
        }
    }
}

extension ColumnBinder {
    /// A selected expression per point.
    mutating func row(_ expression: Expression) -> RowExpression {
        switch expression.bare {
        case .variable(let name, let cast): return selected(name, cast) ?? .literal(.null)
        case .binary(let operation, let left, let right):
            return .arithmetic(operation, row(left), row(right))
        case let literal: return .literal(Value(literal) ?? .null)
        }
    }

    /// A selected expression of calls; calls are taken in the order of the text.
    mutating func aggregate(
        _ expression: Expression, _ companions: inout [RowExpression], _ next: inout Int
    ) -> AggregateExpression {
        switch expression.bare {
        case .call, .distinct:
            next += 1
            return .call(next - 1)
        case .variable(let name, let cast):
            guard let column = selected(name, cast) else { return .null }
            companions.append(column)
            return .companion(companions.count - 1)
        case .binary(let operation, let left, let right):
            let leftColumn = aggregate(left, &companions, &next)
            return .arithmetic(operation, leftColumn, aggregate(right, &companions, &next))
        case let literal: return .literal(Value(literal) ?? .null)
        }
    }
}

extension RowExpression {
    /// The fields in it.
    func fields(into set: inout Set<Int>) {
        switch self {
        case .column(.field(let index)): set.insert(index)
        case .arithmetic(_, let left, let right):
            left.fields(into: &set)
            right.fields(into: &set)
        case .cast(_, let inner): inner.fields(into: &set)
        default: break
        }
    }
}

extension AggregateFunction {
    /// Whether it runs over values of a type.
    func takes(_ type: FieldType) -> Bool {
        switch self {
        case .count, .countDistinct, .first, .last, .distinct: true
        case .minimum, .maximum: type != .string
        default: type != .string && type != .boolean
        }
    }
}

extension Expression {
    /// Refuses arithmetic of what is no number.
    fileprivate func checkArithmetic(_ columns: SourceColumns) throws(QueryError) {
        switch self {
        case .parenthesized(let inner): try inner.checkArithmetic(columns)
        case .binary(let operation, let left, let right):
            try left.checkArithmetic(columns)
            try right.checkArithmetic(columns)
            guard let leftType = left.typeName(columns), let rightType = right.typeName(columns) else { return }
            let numbers: Set<String> = ["float", "integer", "unsigned"]
            guard !numbers.contains(leftType) || !numbers.contains(rightType) else { return }
            let text = "\(left.typedText(columns)) \(operation.rawValue) \(right.typedText(columns))"
            throw QueryError(
                .execution, "type error: \(text): incompatible types: \(leftType) and \(rightType)")
        default: break
        }
    }

    private func typeName(_ columns: SourceColumns) -> String? {
        switch self {
        case .variable(let name, nil): columns.fields[name]?.name ?? (columns.tags.contains(name) ? "tag" : nil)
        case .variable(_, let cast?): cast.rawValue
        case .string: "string"
        case .number: "float"
        case .integer: "integer"
        case .unsigned: "unsigned"
        case .boolean: "boolean"
        case .parenthesized(let inner): inner.typeName(columns)
        default: nil
        }
    }

    private func typedText(_ columns: SourceColumns) -> String {
        if case .variable(let name, nil) = self, let type = typeName(columns) {
            return "\(Printer.identifier(name))::\(type)"
        }
        return Printer.text(self)
    }
}
