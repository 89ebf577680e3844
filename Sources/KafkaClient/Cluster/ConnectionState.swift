/// The conversation on one connection, as a pure value: which versions the broker speaks, and which answer belongs
/// to which request. Kafka answers in the order of the requests, so an answer that is late delays all behind it, and
/// one that carries another correlation number than expected means that the stream cannot be trusted any more.
///
/// `Token` is whatever the driver needs to find the one who asked.
struct ConnectionState<Token> {
    /// What the driver is to do.
    enum Action {
        /// Send ApiVersions in this version.
        case askVersions(version: Int16, correlationID: Int32)
        /// The versions are known: requests may be sent.
        case ready(BrokerVersions)
        /// The frame just received answers this request.
        case complete(Token)
        /// The frame just received answers ApiVersions in this version.
        case readVersions(version: Int16)
        /// Close the connection and fail these requests, in the order in which they were sent.
        case close(KafkaClientError, failing: [Token])
        /// Nothing.
        case none
    }

    /// What became of a request.
    enum Admission: Equatable {
        /// Send it under this correlation number.
        case send(correlationID: Int32)
        /// Too many are waiting already.
        case full
        /// The connection is not ready, or not any more.
        case notReady
    }

    private enum Phase {
        case connecting
        case negotiating(version: Int16, correlationID: Int32, deadline: Int64)
        case ready
        case closed
    }

    private struct Pending {
        let correlationID: Int32
        let deadline: Int64
        let token: Token
    }

    /// The version of ApiVersions that is tried first. A broker that does not know it answers with version 0 and
    /// UNSUPPORTED_VERSION (KIP-511), and is then asked again.
    static var firstVersion: Int16 { 4 }

    let maximumPending: Int
    private var phase = Phase.connecting
    private var nextCorrelationID: Int32 = 0
    /// A ring would save the shift of `removeFirst`; with 5 entries in steady state the shift is cheaper.
    private var pending: [Pending] = []

    init(maximumPending: Int) { self.maximumPending = maximumPending }

    /// How many answers are awaited.
    var pendingCount: Int { pending.count }

    /// The TCP connection stands.
    mutating func connected(deadline: Int64) -> Action {
        ask(version: Self.firstVersion, deadline: deadline)
    }

    /// The answer to ApiVersions, decoded.
    ///
    /// `unsupported` says that the broker does not know the version it was asked in; `versions` may then still hold
    /// what it knows.
    mutating func versionsAnswered(
        unsupported: Bool, refusal: KafkaClientError?, versions: BrokerVersions, deadline: Int64
    ) -> Action {
        guard case .negotiating(let asked, _, _) = phase else { return .none }
        if unsupported {
            guard asked > 0 else {
                return close(KafkaClientError(.unsupported, "the broker answers no version of ApiVersions"))
            }
            let known = versions.common(apiKey: 18, ours: 0...(asked - 1)) ?? 0
            return ask(version: known, deadline: deadline)
        }
        if let refusal { return close(refusal) }
        phase = .ready
        return .ready(versions)
    }

    /// Admits a request. One that has no answer (Produce with `acks` 0) is not remembered.
    mutating func admit(_ token: Token, deadline: Int64, hasAnswer: Bool = true) -> Admission {
        guard case .ready = phase else { return .notReady }
        guard pending.count < maximumPending else { return .full }
        let correlationID = takeCorrelationID()
        if hasAnswer {
            pending.append(Pending(correlationID: correlationID, deadline: deadline, token: token))
        }
        return .send(correlationID: correlationID)
    }

    /// A whole frame arrived that carries this correlation number.
    mutating func received(correlationID: Int32) -> Action {
        switch phase {
        case .negotiating(let version, correlationID, _):
            return .readVersions(version: version)
        case .ready:
            guard let first = pending.first, first.correlationID == correlationID else {
                let expected = pending.first.map { String($0.correlationID) } ?? "none"
                return close(
                    KafkaClientError(.malformed, "an answer carries number \(correlationID), expected \(expected)"))
            }
            return .complete(pending.removeFirst().token)
        case .connecting, .negotiating:
            return close(KafkaClientError(.malformed, "an answer arrived to no request"))
        case .closed:
            return .none
        }
    }

    /// Time passed. A request that missed its deadline closes the connection: its answer would stand in the way of
    /// all others.
    mutating func tick(now: Int64) -> Action {
        if case .negotiating(_, _, let deadline) = phase, deadline <= now {
            return close(KafkaClientError(.timedOut, "the broker did not tell its versions in time"))
        }
        guard pending.contains(where: { $0.deadline <= now }) else { return .none }
        return close(KafkaClientError(.timedOut, "the broker did not answer in time"))
    }

    /// When `tick` must be called, at the latest.
    var nextDeadline: Int64? {
        if case .negotiating(_, _, let deadline) = phase { return deadline }
        return pending.lazy.map(\.deadline).min()
    }

    /// The connection broke, or is to be closed.
    mutating func close(_ error: KafkaClientError) -> Action {
        if case .closed = phase { return .none }
        phase = .closed
        defer { pending = [] }
        return .close(error, failing: pending.map(\.token))
    }

    private mutating func ask(version: Int16, deadline: Int64) -> Action {
        let correlationID = takeCorrelationID()
        phase = .negotiating(version: version, correlationID: correlationID, deadline: deadline)
        return .askVersions(version: version, correlationID: correlationID)
    }

    private mutating func takeCorrelationID() -> Int32 {
        defer { nextCorrelationID = nextCorrelationID == .max ? 0 : nextCorrelationID + 1 }
        return nextCorrelationID
    }
}
