import Decode
import Telemetry
import Testing

@Suite struct LinePushTests {
    @Test func anEmptyPushHoldsNothing() {
        let push = LinePush()
        #expect(push.streams.isEmpty && push.bytes.isEmpty && push.failures.isEmpty)
    }
}
