/// Where the HTTP listener listens, and its bounds. What is closed at a bound is counted in
/// `millrace_http_connections_closed_total`, by reason.
public struct HTTPServerSettings: Sendable {
    /// The address to bind. Default 127.0.0.1.
    public var host = "127.0.0.1"
    /// The port; 0 takes a free one. Default 8086.
    public var port = 8086
    /// Connections at the same time. One more takes the place of the one that has had no request to answer for
    /// longest (`evicted`), so that idle connections never keep anybody out; if all have a request to answer, it gets
    /// 503 and is closed (`too-many-connections`). Default 256.
    public var maximumConnections = 256
    /// How long a connection has for its first complete request, and then for each from its head to its end, in
    /// seconds; then it is closed (`request-timeout`). Default 10: nothing that is served takes a body.
    public var requestTimeoutSeconds: Int64 = 10
    /// How long a client may take to read a response, in seconds; then the connection is closed
    /// (`response-timeout`). Default 30: a page of metrics of 1 MB at 0.3 Mbit/s.
    public var responseTimeoutSeconds: Int64 = 30
    /// How long a connection is kept for a further request, in seconds; then it is closed (`idle`). Default 60, as
    /// scrapers that come once a minute keep theirs.
    public var idleTimeoutSeconds: Int64 = 60
    /// The most bytes of one request's target and header fields together; beyond it the answer is 431 and the
    /// connection is closed (`headers-too-large`). Default 64 KiB.
    public var maximumHeaderBytes = 64 << 10
    /// The most header fields of one request; beyond it the same. Default 256.
    public var maximumHeaderCount = 256

    /// The defaults.
    public init() {}
}
