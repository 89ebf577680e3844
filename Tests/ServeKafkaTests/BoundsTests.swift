import Instruments
import NIOEmbedded
import Testing

@testable import ServeKafka

@Suite struct ConnectionTimeoutsTests {
    private let settings: KafkaServerSettings = {
        var settings = KafkaServerSettings()
        settings.frameTimeoutMilliseconds = 1_000
        settings.idleTimeoutMilliseconds = 5_000
        return settings
    }()
    private let second: UInt64 = 1_000_000_000

    @Test func aFrameThatTricklesIsGivenUp() {
        var timeouts = ConnectionTimeouts(settings: settings, now: 0)
        timeouts.beganFrame(at: second)
        for tick in UInt64(1)...4 {
            timeouts.received(at: second + tick * second / 4)
            timeouts.beganFrame(at: second + tick * second / 4)
        }
        #expect(timeouts.expired(now: 2 * second, isBusy: false, isReading: true) == nil)
        #expect(timeouts.expired(now: 2 * second + 1, isBusy: false, isReading: true)?.reason == .frameTimeout)
        #expect(timeouts.expired(now: 2 * second + 1, isBusy: true, isReading: false) == nil)
        timeouts.completedFrame()
        #expect(timeouts.expired(now: 2 * second + 1, isBusy: false, isReading: true) == nil)
    }

    @Test func timeInWhichNobodyReadDoesNotCount() {
        var timeouts = ConnectionTimeouts(settings: settings, now: 0)
        timeouts.beganFrame(at: 0)
        timeouts.resumed(at: 3 * second)
        #expect(timeouts.expired(now: 4 * second, isBusy: false, isReading: true) == nil)
        #expect(timeouts.expired(now: 4 * second + 1, isBusy: false, isReading: true)?.reason == .frameTimeout)
    }

    @Test func silenceIsGivenUpUnlessTheBrokerIsBusy() {
        var timeouts = ConnectionTimeouts(settings: settings, now: 0)
        timeouts.received(at: second)
        #expect(timeouts.expired(now: 6 * second, isBusy: false, isReading: true) == nil)
        #expect(timeouts.expired(now: 6 * second + 1, isBusy: true, isReading: true) == nil)
        #expect(timeouts.expired(now: 6 * second + 1, isBusy: false, isReading: true)?.reason == .idle)
    }
}

@Suite struct MemoryBudgetTests {
    @Test func whatDoesNotFitWaitsUntilMemoryIsFree() {
        let budget = MemoryBudget(capacityBytes: 100, gauge: Gauge())
        let waiter = MemoryBudget.Waiter(
            connection: ConnectionID(number: 1), mailbox: LoopMailbox(eventLoop: EmbeddedEventLoop()))
        #expect(budget.reserve(60, orTell: waiter))
        #expect(!budget.reserve(60, orTell: waiter))
        #expect(budget.waiting == 1)
        budget.release(60)
        #expect(budget.waiting == 0)
        #expect(budget.reserve(60, orTell: waiter))
        #expect(budget.usedBytes == 60)
    }

    @Test func aRequestLargerThanTheBudgetIsLetInAlone() {
        let budget = MemoryBudget(capacityBytes: 100, gauge: Gauge())
        let waiter = MemoryBudget.Waiter(
            connection: ConnectionID(number: 1), mailbox: LoopMailbox(eventLoop: EmbeddedEventLoop()))
        #expect(budget.reserve(1_000, orTell: waiter))
        #expect(!budget.reserve(1, orTell: waiter))
        budget.forget(ConnectionID(number: 1))
        #expect(budget.waiting == 0)
    }
}
