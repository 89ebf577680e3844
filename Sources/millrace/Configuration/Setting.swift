import Ingest

/// One setting of `millrace serve`: everything that is said about it anywhere.
///
/// Its name is the key in the file. The flag is `--NAME`; the environment variable is MILLRACE_ and the name in
/// capitals, with underscores. A topic default has the config's name behind `topic-defaults.`: it is a key below
/// `topic-defaults:` in the file, and NAME=VALUE in the flag and the variable of `topic-defaults`.
struct Setting: Sendable {
    /// The part of the server that a setting belongs to; a heading wherever settings are listed.
    enum Section: String, CaseIterable, Sendable {
        case process = "The process"
        case kafka = "The Kafka listener"
        case http = "The HTTP listener"
        case datagrams = "Lines in datagrams"
        case groups = "Consumer groups"
        case log = "The log"
        case views = "Views and databases"
        case queries = "Queries"
        case topicDefaults = "Topics that set none themselves"
    }

    /// What Kafka's clients call it among the configs of a broker.
    struct BrokerConfig: Sendable {
        let name: String
        /// Whether it can be changed while the broker runs.
        let isDynamic: Bool
        /// How many of Kafka's units make one of the setting's: 1,000 where Kafka counts milliseconds and we seconds.
        let factor: Int64
    }

    let name: String
    let section: Section
    let kind: SettingKind
    /// What the number counts; nil if it is plain, or no number.
    let unit: String?
    /// What it does, in a sentence or two.
    let documentation: String
    /// The default in words, where it is no fixed value.
    let defaultNote: String?
    let broker: BrokerConfig?
    /// Its value as text; nil if there is none.
    let read: @Sendable (ServeSettings) -> String?
    /// Stores a text that `kind` takes.
    let write: @Sendable (inout ServeSettings, String) -> Void

    /// The default as text; nil if there is none.
    var defaultValue: String? { read(ServeSettings()) }

    /// The default as people read it.
    var defaultText: String { defaultNote ?? defaultValue ?? "none" }

    /// The name of the flag, the variable and the file's key: `topic-defaults` for a topic default.
    var option: String { topicConfig == nil ? name : Self.topicDefaults }

    /// The topic config that it is the default of, or nil.
    var topicConfig: String? {
        section == .topicDefaults ? String(name.dropFirst(Self.topicDefaults.count + 1)) : nil
    }

    var flag: String { "--" + option }

    var variable: String { Self.variable(option) }

    /// The mapping in the file that holds the defaults of topics.
    static let topicDefaults = "topic-defaults"

    /// The environment variable of an option.
    static func variable(_ option: String) -> String {
        "MILLRACE_" + option.uppercased().split(separator: "-").joined(separator: "_")
    }
}

/// What a setting takes.
enum SettingKind: Sendable, Equatable {
    /// Any text but an empty one, on one line.
    case text
    /// `HOST:PORT`, an IPv6 host in brackets.
    case address
    case boolean
    case integer(ClosedRange<Int64>)
    /// One of several words.
    case choice([String])
    /// Selectors of streams, one behind the other, or `none`.
    case selectors

    /// What a right value looks like.
    var expectation: String {
        switch self {
        case .text: "a text on one line"
        case .address: "HOST:PORT, such as 127.0.0.1:9092 or [::1]:9092"
        case .boolean: "true or false"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        case .selectors: "selectors of streams, such as {class=\"audit\"} {app=\"pay\",env=~\"prod.*\"}, or none"
        }
    }

    /// Whether it takes this text.
    func takes(_ text: String) -> Bool {
        switch self {
        case .text: !text.isEmpty && !text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }
        case .address: ListenAddress(text) != nil
        case .boolean: text == "true" || text == "false"
        case .integer(let range): Int64(text).map(range.contains) ?? false
        case .choice(let words): words.contains(text)
        case .selectors: DurableStreams(text) != nil
        }
    }
}

/// A host and a port to listen on or to be told.
struct ListenAddress: Sendable, Equatable {
    /// A name or an address, without brackets.
    let host: String
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Parses `HOST:PORT`; nil if the text is none.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    var text: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}
