import Search
public import Telemetry

/// Which streams are durable: selectors, one behind the other, such as `{class="audit"} {app="pay",env=~"prod.*"}`, or
/// `none`.
public struct DurableStreams: Sendable, Equatable {
    /// The text.
    public let text: String
    private let selectors: [StreamSelector]

    /// `{class="audit"}`.
    public static var audit: DurableStreams {
        DurableStreams("{class=\"audit\"}") ?? DurableStreams(text: "none", selectors: [])
    }

    private init(text: String, selectors: [StreamSelector]) {
        self.text = text
        self.selectors = selectors
    }

    /// Reads a text; nil if it is none.
    public init?(_ text: String) {
        guard text != "none" else {
            self.init(text: text, selectors: [])
            return
        }
        var selectors: [StreamSelector] = []
        for part in Self.parts(text) {
            // A selector without a matcher would make everything durable by mistake: `{class=~".+"}` says it.
            guard let selector = try? StreamSelector(part), !selector.matchers.isEmpty else { return nil }
            selectors.append(selector)
        }
        guard !selectors.isEmpty else { return nil }
        self.init(text: text, selectors: selectors)
    }

    /// Whether a stream is durable.
    public func contains(_ labels: StreamLabels) -> Bool { selectors.contains { $0.matches(labels) } }

    /// Cuts behind each brace that closes outside of quotes.
    private static func parts(_ text: String) -> [String] {
        var (parts, current) = ([String](), "")
        var quote: Character?
        var isEscaped = false
        for character in text {
            current.append(character)
            if isEscaped {
                isEscaped = false
            } else if character == "\\", quote == "\"" {
                isEscaped = true
            } else if quote != nil {
                if character == quote { quote = nil }
            } else if character == "\"" || character == "`" {
                quote = character
            } else if character == "}" {
                parts.append(current)
                current = ""
            }
        }
        return current.allSatisfy(\.isWhitespace) ? parts : parts + [current]
    }

    /// Whether the texts are equal.
    public static func == (left: Self, right: Self) -> Bool { left.text == right.text }
}
