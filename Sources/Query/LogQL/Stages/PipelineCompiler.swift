import Patterns

/// Makes stages ready.
struct PipelineCompiler {
    private(set) var steps: [LinePipeline.Step] = []
    private(set) var patterns: [Pattern] = []
    /// The labels that stages read.
    private(set) var needed: Set<String> = []
    /// Whether a stage reads labels that cannot be told before.
    private(set) var needsAll = false

    /// Line filters in front of stages that neither change the line nor drop it.
    static func filtersFirst(_ stages: [LogStage]) -> [LogStage] {
        var result: [LogStage] = []
        var place = 0
        for stage in stages {
            switch stage {
            case .lineFilter:
                result.insert(stage, at: place)
                place += 1
            case .lineFormat, .unpack, .decolorize:
                result.append(stage)
                place = result.count
            default: result.append(stage)
            }
        }
        return result
    }

    mutating func add(_ stage: LogStage) throws(QueryError) {
        switch stage {
        case .lineFilter(let filter): try add(filter)
        case .json(let expressions): try addJSON(expressions)
        case .logfmt(let expressions, let isStrict, let keepsEmpty):
            if expressions.isEmpty {
                steps.append(.logfmt(isStrict: isStrict, keepsEmpty: keepsEmpty))
            } else {
                steps.append(
                    .logfmtNames(expressions.map { (label: $0.label, name: $0.expression) }, isStrict: isStrict))
            }
        case .regexp(let text):
            let slot = try pattern(text)
            let groups = patterns[slot].groupNames.enumerated().compactMap { index, name in
                name.map { (group: index + 1, label: $0) }
            }
            steps.append(.regexp(pattern: slot, groups))
        case .pattern(let text): steps.append(.pattern(try LinePattern(parser: text)))
        case .unpack: steps.append(.unpack)
        case .labelFilter(let filter): steps.append(.labels(try test(filter)))
        case .lineFormat(let text):
            let template = try lineTemplate(text, "invalid line template: ")
            steps.append(.lineFormat(template))
        case .labelFormat(let formats): try addLabelFormat(formats)
        case .decolorize: steps.append(.decolorize(pattern: try pattern(ColorCodes.pattern)))
        case .drop(let selections): steps.append(.drop(try tests(selections)))
        case .keep(let selections): steps.append(.keep(try tests(selections)))
        }
    }

    private mutating func addJSON(_ expressions: [FieldExpression]) throws(QueryError) {
        guard !expressions.isEmpty else { return steps.append(.json) }
        var paths: [(label: String, path: FieldPath)] = []
        for expression in expressions { paths.append((expression.label, try FieldPath(expression.expression))) }
        steps.append(.jsonPaths(paths))
    }

    private mutating func addLabelFormat(_ formats: [LabelFormat]) throws(QueryError) {
        var result: [LinePipeline.LabelFormatStep] = []
        for format in formats {
            if format.label == LineLabels.errorName {
                throw QueryError(.syntax, "\(format.label) cannot be formatted")
            }
            if result.contains(where: { $0.label == format.label }) {
                throw QueryError(
                    .syntax, "multiple label name '\(format.label)' not allowed in a single format operation")
            }
            if format.isRename {
                needed.insert(format.value)
                result.append(LinePipeline.LabelFormatStep(label: format.label, value: .rename(format.value)))
            } else {
                let template = try lineTemplate(format.value, "invalid template for label '\(format.label)': ")
                result.append(LinePipeline.LabelFormatStep(label: format.label, value: .template(template)))
            }
        }
        steps.append(.labelFormat(result))
    }

    private mutating func lineTemplate(_ text: String, _ context: String) throws(QueryError) -> LineTemplate {
        do throws(QueryError) {
            let template = try LineTemplate(text)
            needed.formUnion(template.labels)
            if template.readsAll { needsAll = true }
            return template
        } catch {
            throw QueryError(error.code, context + error.message)
        }
    }

    mutating func unwrap(_ unwrap: Unwrap) throws(QueryError) -> LinePipeline.UnwrapStep {
        needed.insert(unwrap.label)
        var filters: [LabelTest] = []
        for filter in unwrap.filters { filters.append(try test(filter)) }
        return LinePipeline.UnwrapStep(label: unwrap.label, conversion: unwrap.conversion, filters: filters)
    }

    private mutating func pattern(_ text: String) throws(QueryError) -> Int {
        patterns.append(try QueryError.pattern(text))
        return patterns.count - 1
    }
}

/// Conditions.
extension PipelineCompiler {
    private mutating func add(_ filter: LineFilter) throws(QueryError) {
        var tests: [LineTest] = []
        for text in filter.alternatives {
            if text.isAddress {
                guard filter.operation == .contains || filter.operation == .containsNot else {
                    throw QueryError(.syntax, "ip: invalid operation")
                }
                tests.append(.address(try AddressFilter(text.value)))
                continue
            }
            switch filter.operation {
            case .contains, .containsNot: tests.append(.contains(Array(text.value.utf8)))
            case .matches, .matchesNot: tests += try self.tests(text.value)
            case .hasPattern, .hasNotPattern: tests.append(.form(try LinePattern(filter: text.value)))
            }
        }
        steps.append(.lineFilter(tests, isNegative: filter.operation.isNegative))
    }

    /// A regular expression: one that is nothing but texts is looked for as such.
    private mutating func tests(_ pattern: String) throws(QueryError) -> [LineTest] {
        let slot = try self.pattern(pattern)
        if let folded = LineFilterLowering.foldedText(pattern) { return [.containsIgnoringCase(folded)] }
        let texts = PatternTexts.equivalent(to: pattern)
        return texts.isEmpty ? [.pattern(slot)] : texts.map { .contains($0) }
    }

    private mutating func test(_ filter: LabelFilter) throws(QueryError) -> LabelTest {
        switch filter {
        case .text(let matcher):
            needed.insert(matcher.name)
            return .text(matcher.name, try test(matcher))
        case .number(let name, let comparison, let value):
            needed.insert(name)
            return .number(name, comparison, value)
        case .duration(let name, let comparison, let value):
            needed.insert(name)
            return .duration(name, comparison, value)
        case .bytes(let name, let comparison, let value):
            needed.insert(name)
            return .bytes(name, comparison, value)
        case .address(let name, let comparison, let text):
            needed.insert(name)
            return .address(name, try AddressFilter(text), isNegative: comparison == .notEqual)
        case .and(let left, let right): return .and(try test(left), try test(right))
        case .or(let left, let right): return .or(try test(left), try test(right))
        }
    }

    private mutating func test(_ matcher: LogMatcher) throws(QueryError) -> TextTest {
        switch matcher.operation {
        case .equal: return .equals(Array(matcher.value.utf8))
        case .notEqual: return .differs(Array(matcher.value.utf8))
        case .matches, .matchesNot:
            patterns.append(try LogQLPattern.whole(matcher.value))
            return matcher.operation == .matches ? .matches(patterns.count - 1) : .matchesNot(patterns.count - 1)
        }
    }

    private mutating func tests(_ selections: [LabelSelection]) throws(QueryError) -> [SelectionTest] {
        var result: [SelectionTest] = []
        for selection in selections {
            switch selection {
            case .name(let name): result.append(SelectionTest(name: name))
            case .matcher(let matcher):
                needed.insert(matcher.name)
                result.append(SelectionTest(name: matcher.name, test: try test(matcher)))
            }
        }
        return result
    }
}
