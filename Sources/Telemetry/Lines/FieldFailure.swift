/// Why the fields of a line could not be read to the end. What stood in front of the fault was given.
public enum FieldFailure: Error, Sendable, Equatable {
    /// No object stands there, or one without its end, or something else than a comma between two members.
    case malformedObject
    /// An array without its end.
    case malformedArray
    /// A string without its end.
    case malformedString
    /// An escape in a name that JSON does not have.
    case malformedEscape
    /// A name without a colon.
    case malformedJSON
    /// A value that is none of JSON's.
    case unknownValue
    /// A byte of logfmt that does not belong there: a quote within a word, an equals sign without a name. The position
    /// counts bytes from 1.
    case unexpectedByte(UInt8, position: Int)
    /// A name of logfmt that is no UTF-8.
    case invalidKey(position: Int)
    /// A quoted value of logfmt without its end.
    case unterminatedQuote(position: Int)
    /// A quoted value of logfmt with an escape that it does not have.
    case invalidQuote(position: Int)

    /// What Loki puts into `__error__`.
    public var name: String {
        switch self {
        case .malformedObject, .malformedArray, .malformedString, .malformedEscape, .malformedJSON, .unknownValue:
            "JSONParserErr"
        case .unexpectedByte, .invalidKey, .unterminatedQuote, .invalidQuote: "LogfmtParserErr"
        }
    }

    /// What Loki puts into `__error_details__`; clients show it.
    public var details: String {
        switch self {
        case .malformedObject: "Value looks like object, but can't find closing '}' symbol"
        case .malformedArray: "Value is array, but can't find closing ']' symbol"
        case .malformedString: "Value is string, but can't find closing '\"' symbol"
        case .malformedEscape: "Encountered an invalid escape sequence in a string"
        case .malformedJSON: "Malformed JSON error"
        case .unknownValue: "Unknown value type"
        case .unexpectedByte(let byte, let position): Self.logfmt(position, "unexpected '\(Unicode.Scalar(byte))'")
        case .invalidKey(let position): Self.logfmt(position, "invalid key")
        case .unterminatedQuote(let position): Self.logfmt(position, "unterminated quoted value")
        case .invalidQuote(let position): Self.logfmt(position, "invalid quoted value")
        }
    }

    private static func logfmt(_ position: Int, _ what: String) -> String {
        "logfmt syntax error at pos \(position) : \(what)"
    }
}
