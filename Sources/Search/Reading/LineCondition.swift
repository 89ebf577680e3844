public import Patterns
public import Telemetry

/// A condition on the labels of a stream. A label that a stream lacks has the value "".
public struct LabelMatcher: Sendable {
    /// What is asked of the value.
    public enum Test: Sendable {
        case equals(String)
        case differs(String)
        /// The whole value matches (the pattern is anchored by whoever makes it).
        case matches(Pattern)
        case matchesNot(Pattern)
    }

    /// The label.
    public let name: String
    /// What is asked.
    public let test: Test

    /// Assembles a matcher.
    public init(_ name: String, _ test: Test) {
        self.name = name
        self.test = test
    }

    /// Whether a stream satisfies it.
    public func holds(for stream: StreamLabels) -> Bool { holds(for: stream[name]) }

    /// Whether a value of the label satisfies it.
    func holds(for value: String) -> Bool {
        switch test {
        case .equals(let text): return value == text
        case .differs(let text): return value != text
        case .matches(let pattern): return pattern.matches(Array(value.utf8))
        case .matchesNot(let pattern): return !pattern.matches(Array(value.utf8))
        }
    }
}

/// A condition on a line.
public indirect enum LineCondition: Sendable {
    /// Every line.
    case all
    /// The text occurs in the line, byte for byte.
    case contains([UInt8])
    /// The text occurs in the line, ASCII letters of either case alike. The text is in lower case.
    case containsIgnoringCase([UInt8])
    /// The pattern occurs in the line. The texts, if any, are such that every match holds one of them: chunks without
    /// them need not be read.
    case matches(Pattern, needs: [[UInt8]])
    /// A field of the line satisfies a test.
    case field(FieldReference, FieldTest)
    /// Reading the line's fields in this format ends at a fault (`FieldReader.visit` gives a failure): Loki's filters of
    /// numbers let such lines pass.
    case malformed(FieldFormat)
    /// The line's level is one of these.
    case level(Set<LineLevel>)
    /// All of them.
    case and([LineCondition])
    /// One of them.
    case or([LineCondition])
    /// Not that.
    case not(LineCondition)
}

/// A field of lines, as a parser finds it.
public struct FieldReference: Sendable, Hashable {
    /// The parser.
    public var format: FieldFormat
    /// The name that the parser gives it: of nested JSON `a_b`.
    public var name: String

    /// Assembles a reference.
    public init(_ format: FieldFormat, _ name: String) {
        self.format = format
        self.name = name
    }
}

/// What is asked of a field's text. A line without the field does not satisfy it.
public enum FieldTest: Sendable {
    /// The field is there.
    case exists
    /// The text is this.
    case equals([UInt8])
    /// The pattern occurs in the text (anchored by whoever makes it).
    case matches(Pattern)
    /// The text is a number (as Go's ParseFloat reads it) and compares so.
    case number(Comparison, Double)

    /// How numbers compare.
    public enum Comparison: Sendable {
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    }
}
