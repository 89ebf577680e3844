internal import Search
internal import Telemetry

extension LineSource {
    /// What is known of the labels of a selector's lines; nothing if the selector has no use for it.
    func knowledge(
        _ selector: LogSelector, _ range: TimeWindow, grouping: Grouping? = nil
    ) throws(QueryError) -> LabelKnowledge {
        let asks = grouping != nil || selector.stages.contains { if case .labelFilter = $0 { true } else { false } }
        guard asks else { return LabelKnowledge([], metadata: metadataNames) }
        let matchers = try LineFilterLowering.matchers(selector.matchers)
        let found = try QueryError.reading { () throws(SearchError) in try self.streams(matching: matchers, in: range) }
        return LabelKnowledge(found, metadata: metadataNames)
    }
}

extension QueryError {
    /// What a source tells, as a query's error.
    static func reading<Result>(_ body: () throws(SearchError) -> Result) throws(QueryError) -> Result {
        do throws(SearchError) {
            return try body()
        } catch {
            throw QueryError(error.code == .limitReached ? .limitReached : .execution, error.message, cause: error)
        }
    }
}
