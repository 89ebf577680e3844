import Query
import Series
import Synchronization
import Telemetry

/// Databases in memory, as plainly as can be: what the executor answers over them is compared with InfluxDB's answers.
final class MemoryDatabases: DatabaseDirectory, SeriesAdministration {
    private let state = Mutex<[MemoryDatabase]>([])
    /// How many parts a scan has, and how many points a batch; small, so that borders are everywhere.
    let shape: MemoryShape

    init(shape: MemoryShape = MemoryShape()) { self.shape = shape }

    var databases: [String] { state.withLock { $0.map(\.name) } }

    func database(_ name: String) -> MemoryDatabase? { state.withLock { $0.first { $0.name == name } } }

    func source(of database: String) -> (any PointSource)? { self.database(database) }

    func createDatabase(_ name: String, policy: RetentionPolicy?) async throws(QueryError) {
        state.withLock { databases in
            guard !databases.contains(where: { $0.name == name }) else { return }
            databases.append(MemoryDatabase(name, policy ?? MemoryDatabase.autogen, shape))
        }
    }

    func dropDatabase(_ name: String) async throws(QueryError) {
        state.withLock { $0.removeAll { $0.name == name } }
    }

    func send(_ command: SeriesCommand, to database: String) async throws(QueryError) {
        guard let database = self.database(database) else {
            throw QueryError(.execution, "database not found: \(database)")
        }
        database.apply(command)
    }
}

/// How a scan is cut.
struct MemoryShape: Sendable {
    var parts = 2
    var batchPoints = 3
    /// Whether series are cut by time too, in two parts.
    var splitsTime = false
    /// Whether summaries are offered.
    var offersSummaries = true
}

/// One database.
final class MemoryDatabase: PointSource {
    static let autogen = RetentionPolicy(
        name: Array("autogen".utf8), durationNanoseconds: 0, shardNanoseconds: 604_800_000_000_000, isDefault: true)

    typealias Tags = [[UInt8]: [UInt8]]
    /// The points of a series, by time and field.
    typealias Points = [Int64: [[UInt8]: MemoryValue]]

    struct Measurement {
        var fields: [[UInt8]: FieldType] = [:]
        var series: [Tags: Points] = [:]
    }

    struct Contents {
        var policies: [RetentionPolicy]
        var defaultPolicy: [UInt8] = []
        var measurements: [[UInt8]: [[UInt8]: Measurement]] = [:]
    }

    let name: String
    let shape: MemoryShape
    private let contents: Mutex<Contents>

    init(_ name: String, _ policy: RetentionPolicy, _ shape: MemoryShape) {
        self.name = name
        self.shape = shape
        contents = Mutex(Contents(policies: [policy], defaultPolicy: policy.name))
    }

    var snapshot: Contents { contents.withLock { $0 } }

    var retentionPolicies: [RetentionPolicy] { snapshot.policies }

    var defaultPolicyName: [UInt8] { snapshot.defaultPolicy }

    /// Adds the points of lines; lines that are none are a mistake of the test.
    func write(_ text: String, policy: String? = nil, precision: TimePrecision = .nanoseconds) -> String? {
        contents.withLock { contents -> String? in
            let policy = policy.map { Array($0.utf8) } ?? contents.policies.first { $0.isDefault }?.name ?? []
            return Array(text.utf8).withUnsafeBytes { bytes -> String? in
                var parser = LineParser(bytes, precision: precision)
                var key = Telemetry.SeriesKey()
                while true {
                    switch parser.next() {
                    case .end: return nil
                    case .refused(let failure): return parser.text(of: failure)
                    case .point:
                        key.parse(UnsafeRawBufferPointer(rebasing: bytes[parser.key]))
                        contents.add(parser.fields, key, bytes, policy, parser.time ?? 0)
                    }
                }
            }
        }
    }

    func apply(_ command: SeriesCommand) {
        contents.withLock { contents in
            switch command {
            case .setRetentionPolicy(let policy):
                if policy.isDefault {
                    contents.defaultPolicy = policy.name
                    for index in contents.policies.indices { contents.policies[index].isDefault = false }
                }
                if let index = contents.policies.firstIndex(where: { $0.name == policy.name }) {
                    contents.policies[index] = policy
                } else {
                    contents.policies.append(policy)
                }
            case .dropRetentionPolicy(let name):
                contents.policies.removeAll { $0.name == name }
                contents.measurements[name] = nil
            case .delete(let predicate): contents.delete(predicate)
            case .dropMeasurement(let name):
                for policy in contents.measurements.keys { contents.measurements[policy]?[name] = nil }
            case .setLimits: break
            }
        }
    }
}

/// A value of a field.
enum MemoryValue: Equatable {
    case float(Double)
    case integer(Int64)
    case unsigned(UInt64)
    case boolean(Bool)
    case string([UInt8])
}

extension MemoryDatabase.Contents {
    mutating func add(
        _ fields: UnsafeBufferPointer<LineField>, _ key: Telemetry.SeriesKey, _ bytes: UnsafeRawBufferPointer,
        _ policy: [UInt8], _ time: Int64
    ) {
        var tags: MemoryDatabase.Tags = [:]
        for tag in key.tags { tags[Array(key.bytes[tag.key])] = Array(key.bytes[tag.value]) }
        var measurement = measurements[policy]?[Array(key.bytes[key.measurement])] ?? .init()
        for field in fields {
            var name: [UInt8] = []
            LineEscaping.unescape(UnsafeRawBufferPointer(rebasing: bytes[field.key]), .fieldKey, into: &name)
            measurement.fields[name] = measurement.fields[name] ?? field.type
            guard measurement.fields[name] == field.type else { continue }
            var text: [UInt8] = []
            if field.type == .string {
                LineEscaping.unescape(UnsafeRawBufferPointer(rebasing: bytes[field.string]), .string, into: &text)
            }
            let value: MemoryValue =
                switch field.type {
                case .float: .float(field.double)
                case .integer: .integer(field.integer)
                case .unsigned: .unsigned(field.bits)
                case .boolean: .boolean(field.boolean)
                case .string: .string(text)
                }
            measurement.series[tags, default: [:]][time, default: [:]][name] = value
        }
        measurements[policy, default: [:]][Array(key.bytes[key.measurement])] = measurement
    }

    mutating func delete(_ predicate: DeletePredicate) {
        for (policy, all) in measurements {
            for (name, measurement) in all where predicate.measurements.isEmpty || predicate.measurements.contains(name)
            {
                var measurement = measurement
                for (tags, points) in measurement.series
                where predicate.tags.allSatisfy({ $0.values.contains(tags[$0.key] ?? []) }) {
                    let left = predicate.dropsSeries ? [:] : points.filter { !predicate.range.contains($0.key) }
                    measurement.series[tags] = left.isEmpty ? nil : left
                }
                measurements[policy]?[name] = measurement.series.isEmpty ? nil : measurement
            }
        }
    }
}
