internal import Patterns
internal import Search
internal import Telemetry

/// What of a selector's pipeline the source decides, and what is left to do per line.
struct SelectorLowering: Sendable {
    /// The streams.
    private(set) var matchers: [LabelMatcher]
    /// Every line that the pipeline keeps satisfies it.
    private(set) var condition: LineCondition = .all
    /// The stages that are left.
    private(set) var rest: [LogStage] = []
    /// The parser whose fields the labels are, if `isDecided`.
    private(set) var format: FieldFormat?
    /// Whether the source decides everything: `condition` holds for exactly the lines that are kept, and labels are
    /// those of the stream, metadata, level and fields of `format`.
    private(set) var isDecided = true
    /// Lines that are kept with an error; if there are any, columns do not tell the labels.
    private(set) var faults: LineCondition?

    private let knowledge: LabelKnowledge
    private var parts: [LineCondition] = []
    private var faultParts: [LineCondition] = []
    /// Conditions on lines that hold for faulty lines too.
    private var faultless: [LineCondition] = []
    private var changesLines = false

    init(_ selector: LogSelector, _ knowledge: LabelKnowledge) throws(QueryError) {
        self.knowledge = knowledge
        matchers = try LineFilterLowering.matchers(selector.matchers)
        for stage in selector.stages { try add(stage) }
        condition = Self.all(parts)
        if !faultParts.isEmpty { faults = Self.all(faultless + [Self.any(faultParts)]) }
        // Filters are cheap to repeat and parsers are not undone: without a parser nothing needs the stages any more.
        if isDecided, format == nil { rest = [] }
    }

    private static func all(_ parts: [LineCondition]) -> LineCondition {
        parts.isEmpty ? .all : parts.count == 1 ? parts[0] : .and(parts)
    }

    private static func any(_ parts: [LineCondition]) -> LineCondition { parts.count == 1 ? parts[0] : .or(parts) }

    private mutating func require(_ condition: LineCondition, evenOfFaulty: Bool) {
        if case .all = condition { return }
        parts.append(condition)
        if evenOfFaulty { faultless.append(condition) }
    }

    private mutating func add(_ stage: LogStage) throws(QueryError) {
        switch stage {
        case .lineFilter(let filter):
            if !changesLines, let condition = try LineFilterLowering.condition(filter) {
                return require(condition, evenOfFaulty: true)
            }
            isDecided = false
        case .json(let expressions) where expressions.isEmpty && format == nil && isDecided:
            format = .json
            faultParts.append(.malformed(.json))
        case .logfmt(let expressions, let isStrict, _)
        where expressions.isEmpty && !isStrict && format == nil && isDecided:
            format = .logfmt
        case .labelFilter(let filter):
            if isDecided, try !lower(filter) { isDecided = false }
        case .drop(let labels) where format == nil && labels.allSatisfy(Self.isErrorLabel): return
        case .lineFormat, .decolorize, .unpack:
            changesLines = true
            isDecided = false
        default: isDecided = false
        }
        rest.append(stage)
    }

    private static func isErrorLabel(_ selection: LabelSelection) -> Bool {
        selection == .name("__error__") || selection == .name("__error_details__")
    }

    /// Adds what the source can decide of a filter; false if that is not all of it.
    private mutating func lower(_ filter: LabelFilter) throws(QueryError) -> Bool {
        if case .text(let matcher) = filter, matcher.name == "__error__", matcher.operation == .equal,
            matcher.value.isEmpty
        {
            if !faultParts.isEmpty { parts.append(.not(Self.any(faultParts))) }
            faultParts = []
            return true
        }
        if case .text(let matcher) = filter, knowledge.origin(of: matcher.name, behind: format) == .stream {
            matchers += try LineFilterLowering.matchers([matcher])
            return true
        }
        var lowering = FilterLowering(knowledge: knowledge, format: format)
        guard let condition = try lowering.condition(filter) else { return false }
        faultParts += lowering.faults
        // A number's filter lets a line pass that is faulty already.
        if lowering.isNumeric, !faultParts.isEmpty {
            require(.or([condition, Self.any(faultParts)]), evenOfFaulty: false)
        } else {
            require(condition, evenOfFaulty: true)
        }
        return true
    }
}

/// Filters of labels as conditions on columns.
private struct FilterLowering {
    let knowledge: LabelKnowledge
    let format: FieldFormat?
    /// Lines that get an error because a value is no number.
    private(set) var faults: [LineCondition] = []
    private(set) var isNumeric = false

    init(knowledge: LabelKnowledge, format: FieldFormat?) { (self.knowledge, self.format) = (knowledge, format) }

    mutating func condition(_ filter: LabelFilter) throws(QueryError) -> LineCondition? {
        switch filter {
        case .text(let matcher): return try text(matcher)
        case .number(let name, let comparison, let value): return number(name, comparison, value)
        case .and(let left, let right):
            guard let left = try condition(left), let right = try condition(right) else { return nil }
            return .and([left, right])
        case .or(let left, let right):
            guard let left = try condition(left), let right = try condition(right) else { return nil }
            return .or([left, right])
        case .duration, .bytes, .address: return nil
        }
    }

    private func text(_ matcher: LogMatcher) throws(QueryError) -> LineCondition? {
        let isNegative = matcher.operation == .notEqual || matcher.operation == .matchesNot
        let isPattern = matcher.operation == .matches || matcher.operation == .matchesNot
        let pattern = isPattern ? try LogQLPattern.whole(matcher.value) : nil
        let holds = { (value: String) in pattern.map { $0.matches(Array(value.utf8)) } ?? (value == matcher.value) }
        var condition: LineCondition
        switch knowledge.origin(of: matcher.name, behind: format) {
        case .stream, .unknown: return nil
        case .nowhere: return holds("") != isNegative ? .all : .not(.all)
        case .level: condition = .level(Set(LineLevel.allCases.filter { holds($0.name) }))
        case .field(let field):
            condition = .field(field, pattern.map { .matches($0) } ?? .equals(Array(matcher.value.utf8)))
            // What is not there is "".
            if holds("") { condition = .or([condition, .not(.field(field, .exists))]) }
        }
        return isNegative ? .not(condition) : condition
    }

    private mutating func number(
        _ name: String, _ comparison: LabelFilter.Comparison, _ value: Double
    ) -> LineCondition? {
        guard case .field(let field) = knowledge.origin(of: name, behind: format) else { return nil }
        isNumeric = true
        let operation: FieldTest.Comparison =
            switch comparison {
            case .equal: .equal
            case .notEqual: .notEqual
            case .greater: .greater
            case .greaterOrEqual: .greaterOrEqual
            case .less: .less
            case .lessOrEqual: .lessOrEqual
            }
        // Every number equals 0 or does not, NaN too.
        let isNumber = LineCondition.or([.field(field, .number(.equal, 0)), .field(field, .number(.notEqual, 0))])
        var isOther = [LineCondition.field(field, .exists), .not(isNumber)]
        if field.format == .logfmt { isOther.append(.not(.field(field, .equals([])))) }
        faults.append(.and(isOther))
        return .field(field, .number(operation, value))
    }
}
