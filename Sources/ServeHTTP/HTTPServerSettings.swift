/// Where the HTTP listener listens, and its bounds.
public struct HTTPServerSettings: Sendable {
    /// The address to bind. Default 127.0.0.1.
    public var host = "127.0.0.1"
    /// The port; 0 takes a free one. Default 8086.
    public var port = 8086
    /// Connections at the same time; beyond it no connection is accepted until one ends. Default 256.
    public var maximumConnections = 256
    /// How long a connection may be idle, in seconds; then it is closed. Default 60.
    public var idleTimeoutSeconds: Int64 = 60

    /// The defaults.
    public init() {}
}
