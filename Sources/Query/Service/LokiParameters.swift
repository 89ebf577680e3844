/// The parameters of Loki's API, as text.
public struct LokiParameters: Sendable {
    private let value: @Sendable (String) -> String?
    private let now: Int64

    /// Parameters by name: nil for those that are not there or empty.
    ///
    /// - Parameter now: nanoseconds since 1970.
    public init(now: Int64, _ value: @escaping @Sendable (String) -> String?) { (self.now, self.value) = (now, value) }

    /// A parameter.
    public subscript(name: String) -> String? { value(name) }

    private static let second: Int64 = 1_000_000_000

    /// A moment: nanoseconds (more than ten digits), seconds, seconds with a fraction, or RFC 3339.
    public func time(_ name: String) throws(LogQLFailure) -> Int64? {
        guard let text = value(name) else { return nil }
        if text.contains("."), let seconds = Double(text), seconds.magnitude < 9e9 {
            let whole = seconds.rounded(.towardZero)
            let milliseconds = ((seconds - whole) * 1_000).rounded()
            return Int64(whole) * Self.second + Int64(milliseconds) * 1_000_000
        }
        if let number = Int64(text) {
            guard text.utf8.count <= 10 else { return number }
            return number * Self.second
        }
        if let moment = TimeText.parse(text) { return moment }
        throw LogQLFailure(
            400, "could not parse '\(name)' parameter: strconv.ParseInt: parsing \(goQuoted(text)): invalid syntax")
    }

    /// The range: an hour until now unless `start`, `end` or `since` say otherwise.
    public func range() throws(LogQLFailure) -> (start: Int64, end: Int64) {
        let since = try duration("since") ?? 3_600 * Self.second
        let end = try time("end") ?? now
        let start = try time("start") ?? min(end, now) - since
        return (start, end)
    }

    private func duration(_ name: String) throws(LogQLFailure) -> Int64? {
        guard let text = value(name) else { return nil }
        guard let duration = GoDuration.parse(text) else {
            throw LogQLFailure(
                400, "could not parse '\(name)' parameter: not a valid duration string: \(goQuoted(text))")
        }
        return duration
    }

    /// The distance of moments: seconds or a duration; by default a 250th of the range, at least a second.
    public func step(_ start: Int64, _ end: Int64) throws(LogQLFailure) -> Int64 {
        guard let text = value("step") else {
            return max(1, (end - start) / Self.second / 250) * Self.second
        }
        let step: Int64
        if let seconds = Double(text), seconds.magnitude < 9e9 {
            step = Int64(seconds * 1e9)
        } else if let duration = GoDuration.parse(text) {
            step = duration
        } else {
            throw LogQLFailure(400, "cannot parse \(goQuoted(text)) to a valid duration")
        }
        guard step > 0 else {
            throw LogQLFailure(
                400, "zero or negative query resolution step widths are not accepted. Try a positive integer")
        }
        return step
    }

    /// The most lines.
    public func limit(default most: Int = 100) throws(LogQLFailure) -> Int {
        guard let text = value("limit") else { return most }
        guard let limit = Int(text) else {
            throw LogQLFailure(400, "strconv.Atoi: parsing \(goQuoted(text)): invalid syntax")
        }
        guard limit > 0 else { throw LogQLFailure(400, "limit must be a positive value") }
        return limit
    }

    private func descending() throws(LogQLFailure) -> Bool {
        switch value("direction")?.lowercased() {
        case nil, "backward": return true
        case "forward": return false
        default: throw LogQLFailure(400, "invalid direction '\(value("direction") ?? "")'")
        }
    }

    /// `/loki/api/v1/query`.
    public func instantQuery() throws(LogQLFailure) -> LogQLRequest {
        try shaped(LogQLRequest(value("query") ?? "", at: try time("time") ?? now))
    }

    /// `/loki/api/v1/query_range`.
    public func rangeQuery() throws(LogQLFailure) -> LogQLRequest {
        let (start, end) = try range()
        guard end > start else {
            throw LogQLFailure(400, "end timestamp must not be before or equal to start time")
        }
        return try shaped(LogQLRequest(value("query") ?? "", start: start, end: end, step: try step(start, end)))
    }

    /// What both kinds of queries take. `every_stream` is Millrace's own.
    private func shaped(_ query: LogQLRequest) throws(LogQLFailure) -> LogQLRequest {
        var request = query
        request.limit = try limit()
        request.descending = try descending()
        request.takesEveryStream = value("every_stream") == "true"
        return request
    }

    /// The streams and the range of a request.
    public func selection(_ selectors: [String]) throws(LogQLFailure) -> LogQLService.Selection {
        let (start, end) = try range()
        return LogQLService.Selection(selectors, start: start, end: end)
    }

    /// `index/volume` and `index/volume_range`.
    public func volume(
        _ selection: LogQLService.Selection, isRange: Bool
    ) throws(LogQLFailure) -> LogQLService.VolumeRequest {
        guard !selection.selectors.isEmpty || value("query") != nil else {
            throw LogQLFailure(400, "0 matcher groups supplied")
        }
        var request = LogQLService.VolumeRequest()
        request.labels = (value("targetLabels") ?? "").split(separator: ",").map(String.init)
        request.limit = try limit()
        switch value("aggregateBy") {
        case nil, "series": request.byLabels = false
        case "labels": request.byLabels = true
        default: throw LogQLFailure(400, "invalid aggregation option")
        }
        if isRange { request.step = try step(selection.start, selection.end) }
        return request
    }

    /// `detected_fields`: a query of a range, of which `line_limit` lines (1,000 if it is not said) are looked at.
    public func fields() throws(LogQLFailure) -> LogQLService.FieldsRequest {
        let (start, end) = try range()
        var query = LogQLRequest(value("query") ?? "", start: start, end: end, step: 1)
        query.limit = value("line_limit").flatMap { Int($0) }.map { max(1, $0) } ?? 1_000
        return LogQLService.FieldsRequest(query, limit: try limit(default: 1_000))
    }
}
