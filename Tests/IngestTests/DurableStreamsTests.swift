import Ingest
import Telemetry
import Testing

@Suite struct DurableStreamsTests {
    private func isDurable(_ labels: String, by selectors: String) throws -> Bool {
        try #require(DurableStreams(selectors)).contains(StreamLabels(text: labels))
    }

    @Test func oneSelectorIsEnough() throws {
        let both = #"{class="audit"} {app="pay}\"",env=~"prod.*"}"#
        #expect(try isDurable(#"{class="audit",app="x"}"#, by: both))
        #expect(try isDurable(#"{app="pay}\"",env="prod-1"}"#, by: both))
        #expect(try !isDurable(#"{app="pay}\"",env="test"}"#, by: both))
        #expect(try !isDurable(#"{class="other"}"#, by: both))
        #expect(try !isDurable(#"{class="audit"}"#, by: "none"))
        #expect(DurableStreams.audit.text == #"{class="audit"}"#)
    }

    @Test(arguments: ["", " ", "{}", "audit", #"{class="audit""#, #"{class="audit"} x"#, #"{class=~"("}"#])
    func whatIsNoSelectorIsRefused(_ text: String) {
        #expect(DurableStreams(text) == nil)
    }
}
