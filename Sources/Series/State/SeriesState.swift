import Telemetry

/// What a view of one partition knows besides points: a function of the log up to an offset, kept in the manifest.
struct SeriesState: Sendable, Equatable {
    /// By name; `autogen` is there from the beginning.
    var retentionPolicies: [RetentionPolicy] = [RetentionPolicy.autogen]
    /// The name of the default policy that was dropped, as long as no other is the default: what means the default is
    /// refused with it.
    var droppedDefault: [UInt8]?
    /// The fields of each table and their types, which stay until they are dropped.
    var fields: [TableKey: [[UInt8]: FieldType]] = [:]
    var limits = SeriesLimits()
    /// In the order of the log.
    var tombstones: [Tombstone] = []
    var cardinality = Cardinality()
    /// The number of the next cut: blocks of later ones win.
    var nextCut: Int64 = 1

    /// What the default policy is called, whether it is there or was dropped.
    var defaultPolicyName: [UInt8] { policy(nil)?.name ?? droppedDefault ?? [] }

    /// The policy of a name; nil stands for the default one.
    func policy(_ name: [UInt8]?) -> RetentionPolicy? {
        guard let name else { return retentionPolicies.first(where: \.isDefault) }
        return retentionPolicies.first { $0.name == name }
    }
}

extension RetentionPolicy {
    /// The policy of every database until something else is said: points stay for ever.
    static let autogen = RetentionPolicy(
        name: Array("autogen".utf8), durationNanoseconds: 0, shardNanoseconds: ShardWindow.defaultNanoseconds,
        isDefault: true)
}
