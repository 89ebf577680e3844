import Testing

@testable import Listening

@Suite struct LogLimiterTests {
    @Test func countsWhatItSuppresses() {
        var limiter = LogLimiter(linesPerSecond: 2)
        #expect(limiter.admit(now: 2_000_000_000) == 0)
        #expect(limiter.admit(now: 2_000_000_001) == 0)
        #expect(limiter.admit(now: 2_000_000_002) == nil)
        #expect(limiter.admit(now: 2_999_999_999) == nil)
        #expect(limiter.admit(now: 3_000_000_000) == 2)
        #expect(limiter.admit(now: 3_000_000_001) == 0)
    }
}
