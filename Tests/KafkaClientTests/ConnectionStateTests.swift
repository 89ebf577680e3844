import Testing

@testable import KafkaClient

/// Transcripts of one connection.
@Suite struct ConnectionStateTests {
    private func text(_ action: ConnectionState<String>.Action) -> String {
        switch action {
        case .askVersions(let version, let correlationID): "ask v\(version) #\(correlationID)"
        case .ready: "ready"
        case .complete(let token): "complete \(token)"
        case .readVersions(let version): "read v\(version)"
        case .close(let error, let failing): "close \(error.code) \(failing)"
        case .none: "-"
        }
    }

    private func ready(maximumPending: Int = 10) -> ConnectionState<String> {
        var state = ConnectionState<String>(maximumPending: maximumPending)
        _ = state.connected(deadline: 100)
        _ = state.received(correlationID: 0)
        _ = state.versionsAnswered(unsupported: false, refusal: nil, versions: BrokerVersions(), deadline: 100)
        return state
    }

    @Test func asksForVersionsFirst() {
        var state = ConnectionState<String>(maximumPending: 10)
        #expect(state.admit("early", deadline: 1) == .notReady)
        #expect(text(state.connected(deadline: 100)) == "ask v4 #0")
        #expect(state.admit("early", deadline: 1) == .notReady)
        #expect(text(state.received(correlationID: 0)) == "read v4")
        let answer = state.versionsAnswered(unsupported: false, refusal: nil, versions: .init(), deadline: 100)
        #expect(text(answer) == "ready")
        #expect(state.admit("first", deadline: 1) == .send(correlationID: 1))
    }

    @Test func fallsBackToWhatAnOldBrokerKnows() {
        var state = ConnectionState<String>(maximumPending: 10)
        _ = state.connected(deadline: 100)
        _ = state.received(correlationID: 0)
        let known = BrokerVersions([18: 0...2])
        let again = state.versionsAnswered(unsupported: true, refusal: nil, versions: known, deadline: 200)
        #expect(text(again) == "ask v2 #1")
        #expect(text(state.received(correlationID: 1)) == "read v2")
        #expect(text(state.versionsAnswered(unsupported: false, refusal: nil, versions: known, deadline: 0)) == "ready")
    }

    @Test func fallsBackToVersionZeroIfTheBrokerDoesNotSay() {
        var state = ConnectionState<String>(maximumPending: 10)
        _ = state.connected(deadline: 100)
        let again = state.versionsAnswered(unsupported: true, refusal: nil, versions: .init(), deadline: 200)
        #expect(text(again) == "ask v0 #1")
        let last = state.versionsAnswered(unsupported: true, refusal: nil, versions: .init(), deadline: 200)
        #expect(text(last) == "close unsupported []")
    }

    @Test func answersComeInTheOrderOfRequests() {
        var state = ready()
        _ = state.admit("a", deadline: 1_000)
        _ = state.admit("fire and forget", deadline: 1_000, hasAnswer: false)
        _ = state.admit("b", deadline: 1_000)
        #expect(state.pendingCount == 2)
        #expect(text(state.received(correlationID: 1)) == "complete a")
        #expect(text(state.received(correlationID: 3)) == "complete b")
    }

    @Test func anUnexpectedNumberEndsTheConnection() {
        var state = ready()
        _ = state.admit("a", deadline: 1_000)
        #expect(text(state.received(correlationID: 2)) == "close malformed [\"a\"]")
        #expect(text(state.received(correlationID: 1)) == "-")
        #expect(state.admit("b", deadline: 1) == .notReady)
        var idle = ready()
        #expect(text(idle.received(correlationID: 0)) == "close malformed []")
    }

    @Test func aMissedDeadlineEndsTheConnection() {
        var state = ready()
        _ = state.admit("slow", deadline: 500)
        _ = state.admit("patient", deadline: 900)
        #expect(state.nextDeadline == 500)
        #expect(text(state.tick(now: 499)) == "-")
        #expect(text(state.tick(now: 500)) == "close timedOut [\"slow\", \"patient\"]")
        var negotiating = ConnectionState<String>(maximumPending: 1)
        _ = negotiating.connected(deadline: 50)
        #expect(negotiating.nextDeadline == 50)
        #expect(text(negotiating.tick(now: 50)) == "close timedOut []")
    }

    @Test func tooManyWaitingRequestsAreRefused() {
        var state = ready(maximumPending: 2)
        _ = state.admit("a", deadline: 1)
        _ = state.admit("b", deadline: 1)
        #expect(state.admit("c", deadline: 1) == .full)
    }

    @Test func closingFailsEverythingOnce() {
        var state = ready()
        _ = state.admit("a", deadline: 1)
        let error = KafkaClientError(.connection, "gone")
        #expect(text(state.close(error)) == "close connection [\"a\"]")
        #expect(text(state.close(error)) == "-")
    }
}

@Suite struct BrokerVersionsTests {
    @Test func choosesTheHighestThatBothSpeak() {
        let versions = BrokerVersions([0: 3...9, 1: 4...18])
        #expect(versions.common(apiKey: 0, ours: 3...13) == 9)
        #expect(versions.common(apiKey: 1, ours: 4...16) == 16)
        #expect(versions.common(apiKey: 1, ours: 4...18, limit: 12) == 12)
        #expect(versions.common(apiKey: 0, ours: 10...13) == nil)
        #expect(versions.common(apiKey: 1, ours: 4...18, limit: 3) == nil)
        #expect(versions.common(apiKey: 2, ours: 0...9) == nil)
    }

    @Test func aRangeWithoutVersionsIsNotServed() {
        var versions = BrokerVersions()
        versions.add(apiKey: 19, least: 0, most: -1)
        #expect(!versions.serves(apiKey: 19))
    }
}
