import HTTPTypes
import NIOCore

/// What one connection is waited for, until when, and what it did wrong: a value that is told what happens.
///
/// A connection is in one of three conditions: a complete request is awaited, a response is awaited to be read, or
/// (`isRefused`) it got its last answer and is about to be closed.
struct ConnectionState {
    /// Why a connection is closed. Each is a label of one counter.
    enum CloseReason: String, CaseIterable {
        /// No complete request came in time.
        case requestTimeout = "request-timeout"
        /// A response was not read in time.
        case responseTimeout = "response-timeout"
        /// No further request came.
        case idle
        /// It had no request to answer, and its place was needed.
        case evicted
        /// There was no place for it: answered with 503.
        case tooManyConnections = "too-many-connections"
        /// Its headers exceeded the bounds: answered with 431.
        case headersTooLarge = "headers-too-large"
        /// What it sent is not HTTP/1: answered with 400.
        case malformed
    }

    /// What is to be done.
    enum Action: Equatable {
        case nothing
        /// It has no request to answer since now: its place may be given to another.
        case becomeIdle
        /// It has a request to answer.
        case becomeBusy
        /// Answer with this status, read on to nowhere until `lingering` has passed, close.
        case refuse(HTTPResponse.Status)
    }

    /// How long a refused connection is read to nowhere: closing at once would reset it, and a client that is still
    /// sending would not see the answer.
    static let lingering = TimeAmount.seconds(2)

    private let settings: HTTPServerSettings
    /// Requests whose head came and whose response is not written.
    private var unanswered = 0
    /// Whether the head of a request came and its end did not.
    private var isReading = false
    /// The answer that ends the connection, once the responses before it are written.
    private var refusal: CloseReason?
    /// Whether that answer was given.
    private(set) var isRefused = false
    /// When it is closed, unless something happens.
    private(set) var deadline: NIODeadline
    /// Why it is then closed.
    private(set) var reason = CloseReason.requestTimeout

    init(settings: HTTPServerSettings, now: NIODeadline) {
        self.settings = settings
        deadline = now + .seconds(settings.requestTimeoutSeconds)
    }

    /// The head of a request came.
    mutating func requestBegan(now: NIODeadline) -> Action {
        isReading = true
        unanswered += 1
        wait(settings.requestTimeoutSeconds, .requestTimeout, now)
        return unanswered == 1 ? .becomeBusy : .nothing
    }

    /// A request is complete.
    mutating func requestEnded(now: NIODeadline) -> Action {
        isReading = false
        awaitClient(now)
        return .nothing
    }

    /// A response is written, and the client has read it, as far as can be known.
    mutating func responseEnded(now: NIODeadline) -> Action {
        unanswered = max(0, unanswered - 1)
        // A body that nobody asked for still has to end in the time that its request has.
        if !isReading { awaitClient(now) }
        guard unanswered == 0 else { return .nothing }
        return refusal == nil ? .becomeIdle : refuse(now)
    }

    /// There is no place for it, or what it sent cannot be read. The first reason counts.
    mutating func fail(_ reason: CloseReason, now: NIODeadline) -> Action {
        guard refusal == nil else { return .nothing }
        refusal = reason
        return unanswered == 0 ? refuse(now) : .nothing
    }

    private mutating func refuse(_ now: NIODeadline) -> Action {
        isRefused = true
        reason = refusal ?? .malformed
        deadline = now + Self.lingering
        switch reason {
        case .tooManyConnections: return .refuse(.serviceUnavailable)
        case .headersTooLarge: return .refuse(.requestHeaderFieldsTooLarge)
        default: return .refuse(.badRequest)
        }
    }

    private mutating func awaitClient(_ now: NIODeadline) {
        if unanswered > 0 {
            wait(settings.responseTimeoutSeconds, .responseTimeout, now)
        } else {
            wait(settings.idleTimeoutSeconds, .idle, now)
        }
    }

    private mutating func wait(_ seconds: Int64, _ reason: CloseReason, _ now: NIODeadline) {
        guard !isRefused else { return }
        deadline = now + .seconds(seconds)
        self.reason = reason
    }
}
