import Columns
import Telemetry

/// Why a point is refused, with what the text needs. The texts are InfluxDB 1.x's where it has one.
enum PointRefusal {
    case beyondRetention
    case keyTooLong(Int)
    case fieldTypeConflict(field: [UInt8], measurement: [UInt8], given: FieldType, existing: FieldType)
    case tagValues(count: Int, limit: Int, measurement: [UInt8], tag: [UInt8], value: [UInt8])
    case series(limit: Int, worst: (measurement: [UInt8], tag: [UInt8], values: Int)?)
    case measurements(limit: Int, measurement: [UInt8])
    case fields(limit: Int, measurement: [UInt8], field: [UInt8])
    case tooManyTags(Int)
    case tagKeys(limit: Int, measurement: [UInt8], tag: [UInt8])

    var reason: String {
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(1_024), as: UTF8.self) }
        switch self {
        case .beyondRetention: return "points beyond retention policy"
        case .keyTooLong(let count): return "max key length exceeded: \(count) > 65535"
        case .fieldTypeConflict(let field, let measurement, let given, let existing):
            return """
                field type conflict: input field "\(text(field))" on measurement "\(text(measurement))" is type \
                \(given.name), already exists as type \(existing.name)
                """
        case .tagValues(let count, let limit, let measurement, let tag, let value):
            return """
                max-values-per-tag limit exceeded (\(count)/\(limit)): measurement="\(text(measurement))" \
                tag="\(text(tag))" value="\(text(value))"
                """
        case .series(let limit, let worst):
            guard let worst else { return "max-series-per-database limit exceeded: (\(limit))" }
            return """
                max-series-per-database limit exceeded: (\(limit)), most values: \
                measurement="\(text(worst.measurement))" tag="\(text(worst.tag))" (\(worst.values))
                """
        case .measurements(let limit, let measurement):
            return "max-measurements-per-database limit exceeded: (\(limit)): measurement=\"\(text(measurement))\""
        case .fields(let limit, let measurement, let field):
            return """
                max-fields-per-measurement limit exceeded: (\(limit)): measurement="\(text(measurement))" \
                field="\(text(field))"
                """
        case .tagKeys(let limit, let measurement, let tag):
            return """
                max-tag-keys-per-measurement limit exceeded: (\(limit)): measurement="\(text(measurement))" \
                tag="\(text(tag))"
                """
        case .tooManyTags(let count): return "max-tags-per-series limit exceeded: (\(count)/1024)"
        }
    }
}

extension Applier {
    /// Applies one point, or says why not; nothing of it stays then.
    @inline(__always)
    func applyPoint(
        key prefix: UnsafeRawBufferPointer, fields: UnsafeBufferPointer<LineField>, of bytes: UnsafeRawBufferPointer,
        time: Int64, _ context: LineContext, _ prefixes: PrefixTable
    ) -> PointRefusal? {
        guard time >= context.earliest else { return .beyondRetention }
        let hash = BytesHash.hash(prefix)
        let window = context.sketchWindow(of: time)
        if let found = prefixes.find(prefix, hash: hash) {
            let table = head.tables[Int(found.table)]
            // A series that was counted already needs no look at the bounds.
            if !table.isDropped, table.series.sketchWindows[Int(found.series)] == window {
                if let refusal = check(fields, of: bytes, table) { return refusal }
                addRow(table, series: found.series, time: time, of: bytes)
                table.count(time: time, shardNanoseconds: context.policy.shardNanoseconds)
                return nil
            }
        }
        return applySlowly(key: prefix, hash: hash, fields: fields, of: bytes, time: time, context, prefixes)
    }

    /// A point whose series is new to the head or to its stretch of time, or is written in a new way.
    @inline(never)
    private func applySlowly(
        key prefix: UnsafeRawBufferPointer, hash: UInt64, fields: UnsafeBufferPointer<LineField>,
        of bytes: UnsafeRawBufferPointer, time: Int64, _ context: LineContext, _ prefixes: PrefixTable
    ) -> PointRefusal? {
        let table: HeadTable
        let number: Int
        switch resolveTable(prefix, context) {
        case .success(let found):
            number = found
            table = head.tables[found]
        case .failure(let refusal): return refusal.refusal
        }
        if let refusal = check(fields, of: bytes, table) { return refusal }
        switch resolveSeries(table, window: context.sketchWindow(of: time)) {
        case .success(let series):
            prefixes.set(prefix, hash: hash, to: PrefixTable.Target(table: UInt32(number), series: UInt32(series)))
            addRow(table, series: UInt32(series), time: time, of: bytes)
            table.count(time: time, shardNanoseconds: context.policy.shardNanoseconds)
            return nil
        case .failure(let refusal): return refusal.refusal
        }
    }

    /// Finds the fields and their types; fills `pending`.
    @inline(__always)
    private func check(
        _ fields: UnsafeBufferPointer<LineField>, of bytes: UnsafeRawBufferPointer, _ table: HeadTable
    ) -> PointRefusal? {
        pending.removeAll(keepingCapacity: true)
        var expected = 0
        for index in 0..<fields.count {
            let source = fields[index]
            let name = UnsafeRawBufferPointer(rebasing: bytes[source.key])
            if !source.escapes.contains(.key), let field = table.field(named: name, expected: expected) {
                guard table.fields[field].type == source.type else {
                    return conflict([UInt8](name), table, given: source.type, existing: table.fields[field].type)
                }
                pending.append(PendingField(field: Int32(truncatingIfNeeded: field), source: source))
                expected = field &+ 1
            } else {
                if let refusal = checkSlowly(source, of: bytes, table) { return refusal }
                expected &+= 1
            }
        }
        return nil
    }

    /// A field that the head does not have yet, or whose name is escaped.
    @inline(never)
    private func checkSlowly(
        _ source: LineField, of bytes: UnsafeRawBufferPointer, _ table: HeadTable
    ) -> PointRefusal? {
        let name = fieldName(source, of: bytes)
        if let field = name.withUnsafeBytes({ table.field(named: $0, expected: 0) }) {
            guard table.fields[field].type == source.type else {
                return conflict(name, table, given: source.type, existing: table.fields[field].type)
            }
            pending.append(PendingField(field: Int32(field), source: source))
            return nil
        }
        if let existing = state.fields[table.key]?[name] {
            guard existing == source.type else { return conflict(name, table, given: source.type, existing: existing) }
        } else {
            let limit = state.limits.maximumFields
            let new = pending.reduce(1) { $0 + ($1.field < 0 ? 1 : 0) }
            guard (state.fields[table.key]?.count ?? 0) + new <= limit else {
                return .fields(limit: limit, measurement: table.key.measurement, field: name)
            }
        }
        pending.append(PendingField(field: -1, source: source))
        return nil
    }

    private func conflict(
        _ name: [UInt8], _ table: HeadTable, given: FieldType, existing: FieldType
    ) -> PointRefusal {
        .fieldTypeConflict(field: name, measurement: table.key.measurement, given: given, existing: existing)
    }

    private func fieldName(_ source: LineField, of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let raw = UnsafeRawBufferPointer(rebasing: bytes[source.key])
        guard source.escapes.contains(.key) else { return [UInt8](raw) }
        var name: [UInt8] = []
        LineEscaping.unescape(raw, .fieldKey, into: &name)
        return name
    }

    /// Writes the row of `pending`.
    @inline(__always)
    private func addRow(_ table: HeadTable, series: UInt32, time: Int64, of bytes: UnsafeRawBufferPointer) {
        let group = table.openGroup()
        for index in pending.indices {
            var field = Int(pending[index].field)
            let source = pending[index].source
            if field < 0 {
                guard let added = addField(source, of: bytes, table) else { continue }
                field = added
            }
            let bits = source.type == .string ? stringNumber(source, field, of: bytes, table) : source.bits
            group.set(field: field, to: bits)
        }
        group.finishRow(series: series, time: time)
    }

    /// Nil if the same line gave the field another type: the first one counts.
    @inline(never)
    private func addField(_ source: LineField, of bytes: UnsafeRawBufferPointer, _ table: HeadTable) -> Int? {
        let name = fieldName(source, of: bytes)
        return name.withUnsafeBytes { raw in
            if let field = table.field(named: raw, expected: 0) {
                return table.fields[field].type == source.type ? field : nil
            }
            if state.fields[table.key]?[name] == nil { state.fields[table.key, default: [:]][name] = source.type }
            return table.addField(named: raw, type: source.type)
        }
    }

    private func stringNumber(
        _ source: LineField, _ field: Int, of bytes: UnsafeRawBufferPointer, _ table: HeadTable
    ) -> UInt64 {
        let raw = UnsafeRawBufferPointer(rebasing: bytes[source.string])
        guard source.escapes.contains(.string) else { return table.stringNumber(raw, field: field) }
        text.removeAll(keepingCapacity: true)
        LineEscaping.unescape(raw, .string, into: &text)
        return text.withUnsafeBytes { table.stringNumber($0, field: field) }
    }
}
