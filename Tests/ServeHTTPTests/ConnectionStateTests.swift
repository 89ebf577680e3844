import HTTPTypes
import NIOCore
import Testing

@testable import ServeHTTP

@Suite struct ConnectionStateTests {
    private var settings = HTTPServerSettings()

    init() {
        settings.requestTimeoutSeconds = 10
        settings.responseTimeoutSeconds = 30
        settings.idleTimeoutSeconds = 60
    }

    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(1_000_000_000) + .seconds(seconds) }

    private func state() -> ConnectionState { ConnectionState(settings: settings, now: at(0)) }

    @Test func theFirstRequestHasItsTimeFromTheOpening() {
        let state = state()
        #expect(state.deadline == at(10))
        #expect(state.reason == .requestTimeout)
    }

    @Test func eachConditionHasItsTime() {
        var state = state()
        #expect(state.requestBegan(now: at(1)) == .becomeBusy)
        #expect((state.deadline, state.reason) == (at(11), .requestTimeout))
        #expect(state.requestEnded(now: at(2)) == .nothing)
        #expect((state.deadline, state.reason) == (at(32), .responseTimeout))
        #expect(state.responseEnded(now: at(3)) == .becomeIdle)
        #expect((state.deadline, state.reason) == (at(63), .idle))
    }

    @Test func anAnswerDoesNotProlongABodyThatTrickles() {
        var state = state()
        _ = state.requestBegan(now: at(1))
        #expect(state.responseEnded(now: at(2)) == .becomeIdle)
        #expect((state.deadline, state.reason) == (at(11), .requestTimeout))
        _ = state.requestEnded(now: at(3))
        #expect((state.deadline, state.reason) == (at(63), .idle))
    }

    @Test func pipelinedRequestsKeepItBusy() {
        var state = state()
        #expect(state.requestBegan(now: at(1)) == .becomeBusy)
        _ = state.requestEnded(now: at(1))
        #expect(state.requestBegan(now: at(1)) == .nothing)
        _ = state.requestEnded(now: at(1))
        #expect(state.responseEnded(now: at(2)) == .nothing)
        #expect((state.deadline, state.reason) == (at(32), .responseTimeout))
        #expect(state.responseEnded(now: at(3)) == .becomeIdle)
    }

    @Test func whatIsMalformedIsAnsweredOnceAfterTheResponsesBeforeIt() {
        var state = state()
        _ = state.requestBegan(now: at(1))
        _ = state.requestEnded(now: at(1))
        #expect(state.fail(.malformed, now: at(2)) == .nothing)
        #expect(!state.isRefused)
        #expect(state.responseEnded(now: at(3)) == .refuse(.badRequest))
        #expect(state.isRefused)
        #expect(state.deadline == at(5))
        #expect(state.fail(.headersTooLarge, now: at(4)) == .nothing)
        #expect((state.deadline, state.reason) == (at(5), .malformed))
    }

    @Test func eachRefusalHasItsStatus() {
        var (large, full) = (state(), state())
        #expect(large.fail(.headersTooLarge, now: at(1)) == .refuse(.requestHeaderFieldsTooLarge))
        #expect(full.fail(.tooManyConnections, now: at(1)) == .refuse(.serviceUnavailable))
    }
}
