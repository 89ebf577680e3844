import Instruments
import Testing

@testable import ServeKafka

@Suite struct ConnectionGaugesTests {
    private let registry = InstrumentRegistry()
    private let millisecond: UInt64 = 1_000_000

    private func shows(_ lines: String...) -> Bool {
        let page = registry.render().split(separator: "\n").map(String.init)
        return lines.allSatisfy { line in page.contains("millrace_kafka_" + line) }
    }

    @Test func aPauseIsCountedWhileItLasts() {
        let instruments = LoopInstruments(registry)
        var gauges = ConnectionGauges()
        gauges.show(pause: nil, now: 0, in: instruments)
        gauges.show(pause: .unreadResponses, now: 1_000 * millisecond, in: instruments)
        // It was paused already, and asked again.
        gauges.show(pause: .unreadResponses, now: 1_200 * millisecond, in: instruments)
        gauges.addPausedTime(now: 2_500 * millisecond, in: instruments)
        #expect(
            shows(
                #"connections_paused{bound="unread-responses"} 1"#,
                #"reading_paused_total{bound="unread-responses"} 1"#,
                #"reading_paused_seconds_total{bound="unread-responses"} 1.5"#))
        gauges.show(pause: .requestMemory, now: 3_000 * millisecond, in: instruments)
        gauges.show(pause: nil, now: 3_250 * millisecond, in: instruments)
        gauges.addPausedTime(now: 9_000 * millisecond, in: instruments)
        #expect(
            shows(
                #"connections_paused{bound="unread-responses"} 0"#, #"connections_paused{bound="request-memory"} 0"#,
                #"reading_paused_seconds_total{bound="unread-responses"} 2"#,
                #"reading_paused_seconds_total{bound="request-memory"} 0.25"#,
                #"reading_paused_total{bound="request-memory"} 1"#))
    }

    @Test func whatIsShownIsTakenBack() {
        let instruments = LoopInstruments(registry)
        var (one, two) = (ConnectionGauges(), ConnectionGauges())
        one.show(inFlight: 5, waitingProduces: 3, elsewhere: 1, in: instruments)
        two.show(inFlight: 2, waitingProduces: 2, elsewhere: 0, in: instruments)
        one.show(inFlight: 4, waitingProduces: 3, elsewhere: 0, in: instruments)
        #expect(shows("requests_in_flight 6", "waiting_produces 5", "waiting_others 0"))
        one.show(inFlight: 0, waitingProduces: 0, elsewhere: 0, in: instruments)
        two.show(inFlight: 0, waitingProduces: 0, elsewhere: 0, in: instruments)
        #expect(shows("requests_in_flight 0", "waiting_produces 0", "waiting_others 0"))
    }
}
