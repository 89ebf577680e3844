/// The versions that a broker serves of each API, as it told in its answer to ApiVersions.
struct BrokerVersions: Sendable, Equatable {
    private var ranges: [Int16: ClosedRange<Int16>] = [:]

    init() {}

    init(_ ranges: [Int16: ClosedRange<Int16>]) { self.ranges = ranges }

    /// Adds a range; one that makes no sense (`most < least`) is a way of saying "not served".
    mutating func add(apiKey: Int16, least: Int16, most: Int16) {
        if least <= most { ranges[apiKey] = least...most }
    }

    /// The highest version that both sides speak, at most `limit`; nil if there is none.
    func common(apiKey: Int16, ours: ClosedRange<Int16>, limit: Int16 = .max) -> Int16? {
        guard let theirs = ranges[apiKey] else { return nil }
        let most = min(theirs.upperBound, ours.upperBound, limit)
        return most >= max(theirs.lowerBound, ours.lowerBound) ? most : nil
    }

    /// Whether the broker serves an API at all.
    func serves(apiKey: Int16) -> Bool { ranges[apiKey] != nil }
}
