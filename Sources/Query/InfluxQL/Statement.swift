/// An InfluxQL statement.
public enum Statement: Sendable, Equatable {
    case select(SelectStatement)
    case explain(SelectStatement, analyze: Bool)
    case delete(sources: [Source], condition: Expression?)
    case dropSeries(sources: [Source], condition: Expression?)
    case dropMeasurement(String)
    case createDatabase(String, policy: PolicyOptions?)
    case dropDatabase(String)
    case createRetentionPolicy(String, database: String, PolicyOptions)
    case alterRetentionPolicy(String, database: String, PolicyOptions)
    case dropRetentionPolicy(String, database: String)
    case show(ShowStatement)
    case showDatabases
    case showRetentionPolicies(database: String?)
    case showGrants(user: String)
    /// A list that is always whole.
    case showList(List)
    case killQuery(UInt64)
    /// A statement that is well known and not served yet; its first words.
    case unserved(String)

    /// The lists without clauses.
    public enum List: String, Sendable, Equatable, CaseIterable {
        case continuousQueries = "CONTINUOUS QUERIES"
        case diagnostics = "DIAGNOSTICS"
        case queries = "QUERIES"
        case shardGroups = "SHARD GROUPS"
        case shards = "SHARDS"
        case stats = "STATS"
        case subscriptions = "SUBSCRIPTIONS"
        case users = "USERS"
    }
}

/// What a retention policy is to be; what is nil keeps its default or its value.
public struct PolicyOptions: Sendable, Equatable {
    /// The policy's name, where the statement gives one among its options.
    public var name: String?
    /// How long points are kept, in nanoseconds; 0 for ever.
    public var durationNanoseconds: Int64?
    /// Copies; kept for the answer's sake.
    public var replication: Int?
    /// The time that one shard spans, in nanoseconds; 0 for a choice by the duration.
    public var shardNanoseconds: Int64?
    /// Whether it becomes the default.
    public var isDefault = false

    /// Nothing said.
    public init() {}
}

/// Where points come from.
public indirect enum Source: Sendable, Equatable {
    case measurement(MeasurementReference)
    case subquery(SelectStatement)
}

/// A measurement, or a pattern of them.
public struct MeasurementReference: Sendable, Equatable {
    /// The database; nil for the request's.
    public var database: String?
    /// The retention policy; nil for the default one.
    public var retentionPolicy: String?
    /// The name; empty if there is a pattern.
    public var name = ""
    /// The pattern that names must match.
    public var regex: String?

    /// Nothing said.
    public init() {}
}

/// A SELECT.
public struct SelectStatement: Sendable, Equatable {
    /// What is selected.
    public var fields: [SelectField] = []
    /// Where results go instead of the answer.
    public var target: MeasurementReference?
    /// Where points come from.
    public var sources: [Source] = []
    /// Which points.
    public var condition: Expression?
    /// What they are grouped by: names, patterns, `*`, `time(…)`.
    public var dimensions: [Expression] = []
    /// What stands for windows without points.
    public var fill = Fill.null
    /// The order; nil where the statement says nothing.
    public var descending: Bool?
    /// The most rows per series; 0 for all.
    public var limit = 0
    /// The rows left out at the beginning of each series.
    public var offset = 0
    /// The most series; 0 for all.
    public var seriesLimit = 0
    /// The series left out at the beginning.
    public var seriesOffset = 0
    /// The time zone of `tz(…)`.
    public var timeZone: String?

    /// An empty statement.
    public init() {}

    /// Whether no function is called.
    public var isRaw: Bool { !fields.contains { $0.expression.containsCall } }
}

/// One thing that is selected.
public struct SelectField: Sendable, Equatable {
    /// What.
    public var expression: Expression
    /// Its name in the answer; nil for the usual one.
    public var alias: String?
}

/// What stands for windows without points.
public enum Fill: Sendable, Equatable {
    case null, none, previous, linear
    case number(Double)
    case integer(Int64)
}

/// A SHOW with clauses.
public struct ShowStatement: Sendable, Equatable {
    /// What is shown.
    public enum Subject: String, Sendable, Equatable {
        case measurements = "MEASUREMENTS"
        case tagKeys = "TAG KEYS"
        case tagValues = "TAG VALUES"
        case fieldKeys = "FIELD KEYS"
        case series = "SERIES"
        case seriesCardinality = "SERIES CARDINALITY"
        case measurementCardinality = "MEASUREMENT CARDINALITY"
        case tagKeyCardinality = "TAG KEY CARDINALITY"
        case tagValuesCardinality = "TAG VALUES CARDINALITY"
        case fieldKeyCardinality = "FIELD KEY CARDINALITY"
    }

    /// Which tag keys `WITH KEY` wants.
    public enum KeyChoice: Sendable, Equatable {
        case equals(String)
        case differs(String)
        case oneOf([String])
        case matches(String)
        case matchesNot(String)
    }

    /// What is shown.
    public var subject: Subject
    /// Whether a cardinality is to be counted, not estimated.
    public var exact = false
    /// The database; nil for the request's.
    public var database: String?
    /// FROM; for MEASUREMENTS the one of WITH MEASUREMENT.
    public var sources: [Source] = []
    /// WITH KEY.
    public var keys: KeyChoice?
    /// WHERE.
    public var condition: Expression?
    /// GROUP BY of a cardinality.
    public var dimensions: [Expression] = []
    /// ORDER BY; kept, without an effect, as in InfluxDB.
    public var descending: Bool?
    /// The most rows; 0 for all.
    public var limit = 0
    /// The rows left out.
    public var offset = 0
    /// SLIMIT of TAG KEYS.
    public var seriesLimit = 0
    /// SOFFSET of TAG KEYS.
    public var seriesOffset = 0

    /// A statement without clauses.
    public init(_ subject: Subject) { self.subject = subject }
}
