/// How a client reaches a cluster. Validated by `KafkaClient.init`.
public struct ClientSettings: Sendable, Hashable {
    /// Brokers to ask for the others, `HOST:PORT` each (`[::1]:9092` for IPv6). One that answers is enough.
    /// The default is 127.0.0.1:9092.
    public var bootstrap: [String]
    /// The name under which brokers log and meter this client. The default is `millrace`.
    public var clientID: String
    /// How long one request may take, from sending to the whole answer, in milliseconds. A connection that misses it
    /// is closed, since answers come in order. The default is 30,000.
    public var requestTimeoutMilliseconds: Int64
    /// How long an operation of `Admin`, or a look-up, may take with all its repetitions, in milliseconds.
    /// The default is 60,000.
    public var operationTimeoutMilliseconds: Int64
    /// How long a TCP connection may take, in milliseconds. The default is 10,000.
    public var connectTimeoutMilliseconds: Int64
    /// The shortest and the longest wait before connecting again to a broker, in milliseconds; doubled after each
    /// failure. The defaults are 50 and 1,000.
    public var reconnectBackoffMilliseconds: ClosedRange<Int64>
    /// The shortest and the longest wait before repeating a request, in milliseconds; doubled after each failure.
    /// The defaults are 100 and 1,000.
    public var retryBackoffMilliseconds: ClosedRange<Int64>
    /// How old the knowledge about topics may get before it is asked for again, in milliseconds.
    /// The default is 300,000.
    public var metadataMaximumAgeMilliseconds: Int64
    /// The largest answer that is accepted, in bytes; a larger one closes the connection. The default is 128 MiB.
    public var maximumFrameBytes: Int
    /// How many requests may wait on one connection. Further ones fail with `.bufferFull`. The default is 1,024.
    public var maximumRequestsPerConnection: Int

    /// The defaults, for these brokers.
    public init(bootstrap: [String] = ["127.0.0.1:9092"]) {
        self.bootstrap = bootstrap
        self.clientID = "millrace"
        self.requestTimeoutMilliseconds = 30_000
        self.operationTimeoutMilliseconds = 60_000
        self.connectTimeoutMilliseconds = 10_000
        self.reconnectBackoffMilliseconds = 50...1_000
        self.retryBackoffMilliseconds = 100...1_000
        self.metadataMaximumAgeMilliseconds = 300_000
        self.maximumFrameBytes = 128 << 20
        self.maximumRequestsPerConnection = 1_024
    }

    func validated() throws(KafkaClientError) -> [BrokerAddress] {
        func require(_ holds: Bool, _ message: @autoclosure () -> String) throws(KafkaClientError) {
            if !holds { throw KafkaClientError(.invalid, message()) }
        }
        try require(!bootstrap.isEmpty, "bootstrap is empty: name at least one broker as HOST:PORT")
        try require(clientID.utf8.count <= 249, "clientID is longer than 249 bytes")
        try require(requestTimeoutMilliseconds > 0, "requestTimeoutMilliseconds must be positive")
        try require(operationTimeoutMilliseconds > 0, "operationTimeoutMilliseconds must be positive")
        try require(connectTimeoutMilliseconds > 0, "connectTimeoutMilliseconds must be positive")
        try require(reconnectBackoffMilliseconds.lowerBound > 0, "reconnectBackoffMilliseconds must be positive")
        try require(retryBackoffMilliseconds.lowerBound > 0, "retryBackoffMilliseconds must be positive")
        try require(metadataMaximumAgeMilliseconds > 0, "metadataMaximumAgeMilliseconds must be positive")
        try require(maximumFrameBytes >= 1 << 16, "maximumFrameBytes must be at least 65536")
        try require(maximumRequestsPerConnection > 0, "maximumRequestsPerConnection must be positive")
        var addresses: [BrokerAddress] = []
        for text in bootstrap { addresses.append(try BrokerAddress(parsing: text)) }
        return addresses
    }
}

/// Where a broker listens.
struct BrokerAddress: Sendable, Hashable, CustomStringConvertible {
    let host: String
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT` or `[IPV6]:PORT`; the port may be left out and is 9092 then.
    init(parsing text: String) throws(KafkaClientError) {
        var host = Substring(text)
        var port = 9092
        let bracket = text.lastIndex(of: "]")
        if let colon = text.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
            guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number) else {
                throw KafkaClientError(.invalid, "not a broker address: \"\(text)\" (expected HOST:PORT)")
            }
            port = number
            host = text[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else {
            throw KafkaClientError(.invalid, "not a broker address: \"\(text)\" (expected HOST:PORT)")
        }
        self.init(host: String(host), port: port)
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
