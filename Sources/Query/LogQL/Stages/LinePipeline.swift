import Patterns

/// The stages of a query, made ready to run. Made once per query; each thread runs lines through a `LineRunner` of its
/// own.
public struct LinePipeline: Sendable {
    /// Which labels whoever runs the pipeline reads of the lines that come through.
    public enum Wanted: Sendable, Equatable {
        /// All: a parser extracts every field.
        case all
        /// These; parsers extract no others, but those that stages need.
        case only([String])
    }

    let steps: [Step]
    let patterns: [Pattern]
    let wanted: Set<String>?
    let unwrap: UnwrapStep?

    /// Makes stages ready.
    ///
    /// - Parameters:
    ///   - unwrap: what a sample is made of; without, `LineRunner.sample` is nil.
    ///   - wanted: the labels that are read afterwards.
    /// - Throws: `syntax`, as Loki: templates and addresses are checked here.
    public init(_ stages: [LogStage], unwrap: Unwrap? = nil, wanted: Wanted = .all) throws(QueryError) {
        var compiler = PipelineCompiler()
        // Line filters go as far to the front as nothing that changes the line stands in between: that changes nothing
        // but the cost.
        let ordered = PipelineCompiler.filtersFirst(stages)
        for stage in ordered {
            do throws(QueryError) {
                try compiler.add(stage)
            } catch {
                throw .logQL("stage '\(stage)' : \(error.message)")
            }
        }
        self.unwrap = try unwrap.map { value throws(QueryError) in try compiler.unwrap(value) }
        steps = compiler.steps
        patterns = compiler.patterns
        if case .only(let names) = wanted, !compiler.needsAll {
            self.wanted = compiler.needed.union(names)
        } else {
            self.wanted = nil
        }
    }

    /// Whether a stage changes lines: only then does the length of what comes out differ.
    public var changesLines: Bool {
        steps.contains { step in
            switch step {
            case .lineFormat, .unpack, .decolorize: true
            default: false
            }
        }
    }

    /// A runner, for one thread.
    public func runner() -> LineRunner { LineRunner(self) }

    /// A stage, ready.
    enum Step: Sendable {
        case lineFilter([LineTest], isNegative: Bool)
        case json
        case jsonPaths([(label: String, path: FieldPath)])
        case logfmt(isStrict: Bool, keepsEmpty: Bool)
        case logfmtNames([(label: String, name: String)], isStrict: Bool)
        case regexp(pattern: Int, [(group: Int, label: String)])
        case pattern(LinePattern)
        case unpack
        case labels(LabelTest)
        case lineFormat(LineTemplate)
        case labelFormat([LabelFormatStep])
        case decolorize(pattern: Int)
        case drop([SelectionTest])
        case keep([SelectionTest])
    }

    /// A new value of a label.
    struct LabelFormatStep: Sendable {
        enum Value: Sendable {
            case rename(String)
            case template(LineTemplate)
        }

        var label: String
        var value: Value
    }

    /// What a sample is made of.
    struct UnwrapStep: Sendable {
        var label: String
        var conversion: Unwrap.Conversion?
        var filters: [LabelTest]
    }
}

/// Asks something of a line.
enum LineTest: Sendable {
    case contains([UInt8])
    case containsIgnoringCase([UInt8])
    case pattern(Int)
    case form(LinePattern)
    case address(AddressFilter)
}

/// Asks something of a text.
enum TextTest: Sendable {
    case equals([UInt8])
    case differs([UInt8])
    case matches(Int)
    case matchesNot(Int)
}

/// Asks something of the labels of a line.
indirect enum LabelTest: Sendable {
    case text(String, TextTest)
    case number(String, LabelFilter.Comparison, Double)
    case duration(String, LabelFilter.Comparison, Int64)
    case bytes(String, LabelFilter.Comparison, UInt64)
    case address(String, AddressFilter, isNegative: Bool)
    case and(LabelTest, LabelTest)
    case or(LabelTest, LabelTest)
}

/// A label by its name, or only with some values.
struct SelectionTest: Sendable {
    var name: String
    var test: TextTest?
}
