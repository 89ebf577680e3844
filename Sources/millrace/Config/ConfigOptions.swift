import ArgumentParser

/// How `millrace config` shows settings.
struct ConfigShowOptions: ParsableArguments {
    @Flag(help: "Only check: print nothing but mistakes.")
    var check = false

    @Flag(help: "Print one JSON object per setting and line.")
    var json = false

    @Flag(help: "Print a configuration file with every setting and its documentation.")
    var yaml = false

    func validate() throws {
        guard [check, json, yaml].filter({ $0 }).count < 2 else {
            throw ValidationError("--check, --json and --yaml exclude each other")
        }
    }
}

/// Which running broker `millrace config` is about, and what it changes there.
struct ConfigChangeOptions: ParsableArguments {
    @OptionGroup var cluster: ClusterOptions

    @Option(help: ArgumentHelp("Which broker. (default: the one with the lowest id)", valueName: "id"))
    var broker: Int32?

    @Option(help: ArgumentHelp("A config to change; may be repeated.", valueName: "key=value"))
    var set: [NamedValue] = []

    @Option(
        help: ArgumentHelp(
            "A config that returns to what the broker was started with; may be repeated.", valueName: "key"))
    var delete: [String] = []

    @Flag(help: "Change every broker, not one.")
    var everyBroker = false

    @Flag(help: "Check the change only.")
    var dryRun = false

    /// Whether a running broker is asked, not the file and the environment.
    var isAboutBroker: Bool { cluster.bootstrap != nil }

    /// Whether anything is to be changed.
    var isChanging: Bool { !set.isEmpty || !delete.isEmpty }

    func validate() throws {
        if !isAboutBroker, broker != nil || isChanging || everyBroker || dryRun {
            throw ValidationError("what is about a running broker needs --bootstrap, which names it")
        }
        if everyBroker || dryRun, !isChanging { throw ValidationError("say what to change: --set or --delete") }
        if everyBroker, broker != nil { throw ValidationError("--every-broker and --broker exclude each other") }
        let keys = set.map(\.name) + delete
        if let key = keys.first(where: { key in keys.count { $0 == key } > 1 }) {
            throw ValidationError("\(key) is named twice")
        }
    }
}
