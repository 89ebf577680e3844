import Log
import Logging
import ServeKafka
import Storage
import Synchronization

/// The configuration of a running server: what it was started with, and what was changed since, which is stored and wins.
final class RunningConfiguration: BrokerConfiguration {
    private struct State: Sendable {
        var everyBroker: [String: String]
        var thisBroker: [String: String]
        var configuration: Configuration
        /// Does what a change asks for; nil until everything runs.
        var apply: (@Sendable (ServeSettings) -> Void)?
        /// The bytes of the disk that are kept free now.
        var diskReserve: (@Sendable () -> Int64?)?
    }

    private let started: Configuration
    private let store: BrokerConfigStore
    private let state: Mutex<State>

    /// Takes what is stored on top of what the server was started with. A stored config that this version does not
    /// know, or that does not fit any more, stays stored and is told.
    ///
    /// - Throws: `.metadata`.
    init(_ started: Configuration, _ metadata: any MetadataStore, _ logger: Logger) throws(LogError) {
        self.started = started
        store = BrokerConfigStore(metadata: metadata, nodeID: started.settings.log.nodeID)
        let (every, this) = (try store.load(.everyBroker), try store.load(.thisBroker))
        let stored = StoredConfigs.taking(every, this, on: started)
        for problem in stored.problems {
            logger.warning("a stored broker config is passed over", metadata: ["reason": "\(problem)"])
        }
        let isIgnoring = started.settings.ignoresStoredConfigs
        state = Mutex(
            State(
                everyBroker: every, thisBroker: this, configuration: isIgnoring ? started : stored.configuration))
        guard !every.isEmpty || !this.isEmpty else { return }
        let names = Set(every.keys).union(this.keys).sorted().joined(separator: ",")
        logger.log(
            level: isIgnoring ? .warning : .info,
            isIgnoring
                ? "broker configs that were changed at run time are ignored"
                : "broker configs that were changed at run time",
            metadata: ["configs": "\(names)"])
    }

    /// The settings in force.
    var settings: ServeSettings { state.withLock { $0.configuration.settings } }

    /// From now on changes hold at once. What was changed meanwhile is caught up on.
    ///
    /// - Parameters:
    ///   - apply: does what a change asks for; may wait for the disk.
    ///   - diskReserve: the bytes of the disk that are kept free now.
    func begin(
        applying apply: @escaping @Sendable (ServeSettings) -> Void, diskReserve: @escaping @Sendable () -> Int64?
    ) {
        state.withLock { state in
            state.apply = apply
            state.diskReserve = diskReserve
            apply(state.configuration.settings)
        }
    }

    func describe(_ scope: BrokerConfigStore.Scope) -> [ConfigDescription] {
        let state = state.withLock { $0 }
        guard scope == .thisBroker else { return BrokerConfigTable.describe(changed: state.everyBroker) }
        let settings = state.configuration.settings
        let facts = BrokerConfigTable.Facts(
            nodeID: settings.log.nodeID, directory: absolutePath(settings.data),
            diskReserveBytes: state.diskReserve?())
        return BrokerConfigTable.describe(state.configuration, facts)
    }

    func alter(
        _ scope: BrokerConfigStore.Scope, _ changes: [String: ConfigChange], isWhole: Bool, validateOnly: Bool
    ) throws(LogError) {
        try state.withLock { state throws(LogError) in
            var (every, this) = (state.everyBroker, state.thisBroker)
            switch scope {
            case .everyBroker: every = try BrokerConfigTable.apply(changes, to: isWhole ? [:] : every)
            case .thisBroker: this = try BrokerConfigTable.apply(changes, to: isWhole ? [:] : this)
            }
            let known = StoredConfigs.taking(state.everyBroker, state.thisBroker, on: started).problems
            let changed = StoredConfigs.taking(every, this, on: started)
            // What did not fit before is no reason to refuse a change of something else.
            let problems = changed.problems.filter { !known.contains($0) }
            guard problems.isEmpty else { throw LogError(.invalidConfig, problems.joined(separator: "; ")) }
            guard !validateOnly else { return }
            try store.store(scope == .everyBroker ? every : this, scope)
            (state.everyBroker, state.thisBroker) = (every, this)
            guard !started.settings.ignoresStoredConfigs else { return }
            state.configuration = changed.configuration
            state.apply?(changed.configuration.settings)
        }
    }
}

/// What was stored by an earlier run, on top of what this one was started with. Pure.
enum StoredConfigs {
    static func given(_ every: [String: String], _ this: [String: String]) -> [Configuration.Given] {
        BrokerConfigTable.given(every, .everyBroker) + BrokerConfigTable.given(this, .thisBroker)
    }

    /// All of them if they fit; else one after the other, leaving out what does not.
    static func taking(
        _ every: [String: String], _ this: [String: String], on started: Configuration
    ) -> (configuration: Configuration, problems: [String]) {
        let names = Set(every.keys).union(this.keys)
        var problems = names.filter { BrokerConfigTable.setting($0)?.broker?.isDynamic != true }.sorted().map {
            "this version cannot change \(Mistake.quoted($0)) while it runs"
        }
        let given = given(every, this)
        let whole = started.adding(given)
        if whole.mistakes.isEmpty { return (whole, problems) }
        var taken: [Configuration.Given] = []
        for value in given {
            let mistakes = started.adding(taken + [value]).mistakes
            if mistakes.isEmpty { taken.append(value) } else { problems += mistakes.map(\.message) }
        }
        return (started.adding(taken), problems)
    }
}
