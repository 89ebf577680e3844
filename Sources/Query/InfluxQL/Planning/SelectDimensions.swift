import Patterns

/// GROUP BY: windows and tags.
struct SelectDimensions {
    /// The windows of `time(…)`.
    private(set) var window: Window?
    /// The names of tags.
    private(set) var names: Set<String> = []
    /// Whether `*` stands among them.
    private(set) var isAll = false
    /// Patterns of tags.
    private(set) var patterns: [Pattern] = []

    init(_ dimensions: [Expression], now: Int64) throws(QueryError) {
        for dimension in dimensions {
            switch dimension.bare {
            case .variable(let name, _):
                guard name.lowercased() != "time" else {
                    throw QueryError(.execution, "time() is a function and expects at least one argument")
                }
                names.insert(name)
            case .wildcard: isAll = true
            case .regex(let text): patterns.append(try QueryError.pattern(text))
            case .call("time", let arguments):
                guard window == nil else { throw QueryError(.execution, "multiple time dimensions not allowed") }
                window = try Self.window(arguments, now: now)
            case .call: throw QueryError(.execution, "only time() calls allowed in dimensions")
            default: throw QueryError(.execution, "only time and tag dimensions allowed")
            }
        }
    }

    private static func window(_ arguments: [Expression], now: Int64) throws(QueryError) -> Window? {
        guard (1...2).contains(arguments.count) else {
            throw QueryError(.execution, "time dimension expected 1 or 2 arguments")
        }
        guard case .duration(let length) = arguments[0] else {
            throw QueryError(.execution, "time dimension must have duration argument")
        }
        // InfluxDB takes windows without length for none.
        guard length > 0 else { return nil }
        guard arguments.count == 2 else { return Window(length: length, offset: 0) }
        switch arguments[1].bare {
        case .duration(let offset): return Window(length: length, offset: offset)
        case .call("now", []): return Window(length: length, offset: now % length)
        case .call: throw QueryError(.execution, "time dimension offset function must be now()")
        case .string(let text):
            guard let time = TimeText.parse(text) else {
                throw QueryError(.execution, "time dimension offset must be duration or now()")
            }
            return Window(length: length, offset: time % length)
        default: throw QueryError(.execution, "time dimension offset must be duration or now()")
        }
    }

    /// The keys among these tags, and those named, sorted by their bytes.
    func keys(among tags: Set<String>) -> [String] {
        var keys = names
        for tag in tags where isAll || patterns.contains(where: { $0.matches(Array(tag.utf8)) }) {
            keys.insert(tag)
        }
        return keys.sorted(by: SelectFields.precedes)
    }
}
