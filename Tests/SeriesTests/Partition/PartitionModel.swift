import Series
import Telemetry

/// What a partition must answer, told as plainly as can be: points in dictionaries, nothing else.
struct PartitionModel {
    struct Point: Hashable {
        var rp: String
        var measurement: String
        var tags: [String: String]
        var time: Int64
    }

    var points: [Point: [String: ModelValue]] = [:]
    var types: [String: [String: String]] = [:]
    var durations: [String: Int64] = ["autogen": 0]

    /// Writes a line; false if it is refused.
    mutating func write(_ point: Point, _ fields: [String: ModelValue], nowNanoseconds: Int64) -> Bool {
        guard let duration = durations[point.rp] else { return false }
        if duration > 0, point.time < nowNanoseconds - duration { return false }
        let table = point.rp + "/" + point.measurement
        for (field, value) in fields {
            if let type = types[table]?[field], type != Self.type(value) { return false }
        }
        for (field, value) in fields {
            types[table, default: [:]][field] = Self.type(value)
            points[point, default: [:]][field] = value
        }
        return true
    }

    mutating func delete(_ predicate: DeletePredicate) {
        let times = predicate.dropsSeries ? .min ... .max : predicate.range
        points = points.filter { point, _ in
            let isConcerned =
                (predicate.measurements.isEmpty || predicate.measurements.contains(bytes(point.measurement)))
                && times.contains(point.time)
                && predicate.tags.allSatisfy {
                    $0.values.contains(bytes(point.tags[String(decoding: $0.key, as: UTF8.self)] ?? ""))
                }
            return !isConcerned
        }
    }

    mutating func dropMeasurement(_ name: String) {
        points = points.filter { $0.key.measurement != name }
        types = types.filter { !$0.key.hasSuffix("/" + name) }
    }

    mutating func dropPolicy(_ name: String) {
        durations[name] = nil
        points = points.filter { $0.key.rp != name }
        types = types.filter { !$0.key.hasPrefix(name + "/") }
    }

    /// The rows of a scan.
    func rows(
        _ measurement: String, rp: String, fields: [String], tagKeys: [String], range: ClosedRange<Int64>,
        _ matches: ([String: String]) -> Bool
    ) -> [ModelRow] {
        var rows: [ModelRow] = []
        for (point, values) in points
        where point.rp == rp && point.measurement == measurement && range.contains(point.time) && matches(point.tags) {
            let found = fields.map { values[$0] }
            guard found.contains(where: { $0 != nil }) else { continue }
            let key = SeriesKey.encode(tagKeys.map { (bytes($0), bytes(point.tags[$0] ?? "")) })
            rows.append(ModelRow(key: key, time: point.time, values: found))
        }
        return rows.sorted {
            let order = SeriesKey.compare($0.key, $1.key)
            return order < 0 || order == 0 && $0.time < $1.time
        }
    }

    private static func type(_ value: ModelValue) -> String {
        switch value {
        case .float: "float"
        case .integer: "integer"
        case .unsigned: "unsigned"
        case .boolean: "boolean"
        case .string: "string"
        }
    }
}
