/// A template of Go's text/template, as far as LogQL's documentation uses it: fields, functions, pipelines, variables,
/// `if`, `with`, comments and trimming. `range`, `define` and `template` are refused (docs/logql.md).
struct LineTemplate: Sendable {
    /// What it is made of.
    indirect enum Node: Sendable {
        case text(String)
        case action(Pipeline)
        case branch(isWith: Bool, Pipeline, then: [Node], otherwise: [Node])
    }

    /// Commands, each taking the value of the one before as its last argument.
    struct Pipeline: Sendable {
        /// The variable that gets the value.
        var variable: String?
        var commands: [Command]
    }

    /// A function and its arguments, or a lone value.
    struct Command: Sendable {
        var function: String?
        var arguments: [Argument]
    }

    /// A value.
    indirect enum Argument: Sendable {
        /// `.` itself.
        case dot
        /// `.name`, `.name.name`.
        case field([String])
        /// `$name`.
        case variable(String, [String])
        case literal(TemplateValue)
        /// A function without arguments.
        case call(String)
        case pipeline(Pipeline)
    }

    let nodes: [Node]
    /// The labels that are read.
    let labels: Set<String>
    /// Whether the labels that are read cannot be told.
    let readsAll: Bool

    /// The most bytes of a template.
    static let maximumBytes = 16 << 10

    /// Reads a template.
    init(_ text: String) throws(QueryError) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw QueryError(.syntax, "template is longer than \(Self.maximumBytes) bytes")
        }
        var parser = try TemplateParser(text)
        nodes = try parser.template()
        labels = parser.labels
        readsAll = parser.readsAll
    }

    /// The label, if the template is `{{.label}}` and no more: its bytes are taken as they are.
    var onlyLabel: String? {
        guard nodes.count == 1, case .action(let pipeline) = nodes[0], pipeline.variable == nil,
            pipeline.commands.count == 1, pipeline.commands[0].function == nil,
            case .field(let path) = pipeline.commands[0].arguments.first, path.count == 1
        else { return nil }
        return path[0]
    }
}

/// A value in a template.
enum TemplateValue: Sendable, Equatable {
    case nothing
    case text(String)
    case integer(Int64)
    case float(Double)
    case boolean(Bool)
    /// Nanoseconds since 1970, and the distance of its zone from UTC in seconds.
    case time(Int64, zone: Int)

    /// Whether `if` takes it for true: empty and zero are not.
    var isTrue: Bool {
        switch self {
        case .nothing: false
        case .text(let text): !text.isEmpty
        case .integer(let number): number != 0
        case .float(let number): number != 0
        case .boolean(let flag): flag
        case .time: true
        }
    }

    /// As it is printed.
    var text: String {
        switch self {
        case .nothing: "<no value>"
        case .text(let text): text
        case .integer(let number): String(number)
        case .float(let number): GoNumber.text(number)
        case .boolean(let flag): flag ? "true" : "false"
        case .time(let nanoseconds, let zone):
            GoTime.text(nanoseconds, zone: zone, layout: "2006-01-02 15:04:05.999999999 -0700 MST")
        }
    }
}
