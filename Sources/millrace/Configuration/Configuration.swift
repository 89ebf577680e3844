import Glibc
import Groups
import Log
import ServeKafka

/// The settings in force, with where each comes from: defaults, the file, the environment, flags, in this order, then
/// what was changed while the server ran. A value; reads nothing by itself.
struct Configuration: Sendable {
    /// A value at one of the places that may give it.
    struct Given: Sendable, Equatable {
        let name: String
        let text: String
        let origin: Origin
    }

    /// The places that may give a value.
    enum Origin: Sendable, Equatable {
        /// The place of the value.
        case file(FilePlace)
        /// The variable's name.
        case environment(String)
        /// The flag.
        case flag(String)
        /// Changed for every broker while they ran, and stored.
        case everyBroker
        /// Changed for this broker while it ran, and stored.
        case thisBroker
    }

    private let values: [Given]
    private(set) var settings = ServeSettings()
    /// Who gave a setting a value, the strongest last.
    private(set) var given: [String: [Given]] = [:]
    /// What is wrong; empty if the settings may be used.
    private(set) var mistakes: [Mistake]

    /// Merges what was given, weakest first.
    ///
    /// - Parameter mistakes: those that were made before.
    init(_ values: [Given], mistakes: [Mistake] = []) {
        self.values = values
        self.mistakes = mistakes
        for value in values { take(value) }
        check()
        for setting in SettingTable.all {
            guard let config = setting.topicConfig, given[setting.name] != nil else { continue }
            settings.log.topicDefaultPlaces[config] = BrokerConfigTable.places(setting, self)
        }
    }

    /// The same with values on top.
    func adding(_ stronger: [Given]) -> Configuration { Configuration(values + stronger) }

    private mutating func take(_ value: Given) {
        guard let setting = SettingTable.named(value.name) else { return }
        guard setting.kind.takes(value.text) else {
            return mistakes.append(
                value.mistake("is \(Mistake.quoted(value.text)); it must be \(setting.kind.expectation)"))
        }
        setting.write(&settings, value.text)
        given[value.name, default: []].append(value)
    }

    /// What no setting can tell by itself.
    private mutating func check() {
        if !settings.allowsUnauthenticatedPublic {
            for name in ["kafka-listen", "http-listen", "grpc-listen", "influx-udp-listen"] { checkLoopback(name) }
        }
        if settings.kafka.advertised?.port == 0 { add("advertised-listener", "needs a port above 0") }
        let (shortest, longest) = (
            settings.groups.minimumSessionMilliseconds, settings.groups.maximumSessionMilliseconds
        )
        if shortest > longest {
            let name =
                given["group-min-session-timeout"] == nil ? "group-max-session-timeout" : "group-min-session-timeout"
            add(
                name,
                """
                does not fit: group-min-session-timeout is \(shortest), more than group-max-session-timeout, which is \
                \(longest)
                """)
        }
    }

    private mutating func checkLoopback(_ name: String) {
        guard let text = value(of: name), let address = ListenAddress(text), !isLoopback(address.host) else { return }
        add(
            name,
            """
            is \(address.text), which is no loopback address, and nothing asks who connects: anyone who can reach it \
            could read, write and delete everything. Listen on 127.0.0.1 or [::1], or say \
            --allow-unauthenticated-public.
            """)
    }

    private mutating func add(_ name: String, _ problem: String) {
        mistakes.append(given[name]?.last?.mistake(problem) ?? Mistake(nil, "\(name) \(problem)"))
    }

    /// The value of a setting as text; nil if it has none.
    func value(of name: String) -> String? { SettingTable.named(name)?.read(settings) }

    /// Where the value in force comes from; nil: nobody set it.
    func origin(of name: String) -> Origin? { given[name]?.last?.origin }

    /// Itself, for whoever starts the server.
    ///
    /// - Throws: `ConfigurationFailure` with every mistake.
    func validated() throws -> Configuration {
        var mistakes = mistakes
        if settings.data.isEmpty {
            mistakes.append(
                Mistake(nil, "say where the data is: --data DIR, MILLRACE_DATA, or `data: DIR` in the file"))
        }
        guard mistakes.isEmpty else { throw ConfigurationFailure(mistakes: mistakes) }
        return self
    }
}

extension Configuration.Given {
    /// Something wrong with it; `problem` goes on after its name.
    func mistake(_ problem: String) -> Mistake {
        switch origin {
        case .file(let place): Mistake(place, "\(name) \(problem)")
        case .environment(let variable): Mistake(nil, "\(variable)\(config) \(problem)")
        case .flag(let flag): Mistake(nil, "\(flag)\(config) \(problem)")
        case .everyBroker, .thisBroker: Mistake(nil, "\(SettingTable.named(name)?.broker?.name ?? name) \(problem)")
        }
    }

    /// Which topic config it is, for places that hold several.
    private var config: String { SettingTable.named(name)?.topicConfig.map { " \($0)" } ?? "" }
}

/// A host that only this machine can reach.
private func isLoopback(_ host: String) -> Bool {
    var parsed = in_addr()
    if inet_pton(AF_INET, host, &parsed) == 1 { return UInt32(bigEndian: parsed.s_addr) >> 24 == 127 }
    return host == "localhost" || host == "::1"
}

/// A path from the root, as Kafka's clients expect the log's directory to be told.
func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    return String(cString: here) + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
}
