import Testing
import View

@Suite struct ViewErrorTests {
    @Test func describesItselfWithItsCause() {
        let cause = ViewError(.storage, "no luck")
        #expect(ViewError(.damaged, "block 7", cause: cause).description == "damaged: block 7 (storage: no luck)")
    }
}
