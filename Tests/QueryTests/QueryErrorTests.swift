import Query
import Testing

@Suite struct QueryErrorTests {
    @Test func describesItselfWithItsCause() {
        let cause = QueryError(.limitReached, "too much")
        #expect(QueryError(.execution, "no", cause: cause).description == "no (too much)")
    }
}
