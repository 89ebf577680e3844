import Telemetry

/// Fills templates in. It keeps the patterns that templates use; for one thread.
final class TemplateRenderer {
    /// The most bytes that a template may make.
    static let maximumBytes = 1 << 20

    let patterns = TemplatePatterns()
    private var variables: [(name: String, value: TemplateValue)] = []
    private var dots: [TemplateValue] = []
    private var result = ""
    private var line = UnsafeRawBufferPointer(start: nil, count: 0)
    private var time: Int64 = 0
    private var labels: LineLabels?

    func render(
        _ template: LineTemplate, line: UnsafeRawBufferPointer, time: Int64, labels: LineLabels
    ) throws(QueryError) -> String {
        self.line = line
        self.time = time
        self.labels = labels
        result = ""
        variables = []
        dots = []
        try render(template.nodes)
        return result
    }

    private func render(_ nodes: [LineTemplate.Node]) throws(QueryError) {
        for node in nodes {
            switch node {
            case .text(let text): result += text
            case .action(let pipeline):
                let value = try evaluate(pipeline)
                if pipeline.variable == nil { result += value.text }
            case .branch(let isWith, let condition, let then, let otherwise):
                let mark = variables.count
                let value = try evaluate(condition)
                if value.isTrue {
                    if isWith { dots.append(value) }
                    try render(then)
                    if isWith { dots.removeLast() }
                } else {
                    try render(otherwise)
                }
                variables.removeLast(max(0, variables.count - mark))
            }
            guard result.utf8.count <= Self.maximumBytes else {
                throw QueryError(.limitReached, "template makes more than \(Self.maximumBytes) bytes")
            }
        }
    }

    private func evaluate(_ pipeline: LineTemplate.Pipeline) throws(QueryError) -> TemplateValue {
        var value: TemplateValue?
        for command in pipeline.commands {
            guard let function = command.function else {
                value = try evaluate(command.arguments[0])
                continue
            }
            value = try call(function, command.arguments, last: value)
        }
        let outcome = value ?? .nothing
        if let variable = pipeline.variable {
            if let place = variables.lastIndex(where: { $0.name == variable }) {
                variables[place].value = outcome
            } else {
                variables.append((variable, outcome))
            }
        }
        return outcome
    }

    private func call(
        _ function: String, _ arguments: [LineTemplate.Argument], last: TemplateValue?
    ) throws(QueryError) -> TemplateValue {
        switch function {
        case "__line__": return .text(String(decoding: line, as: UTF8.self))
        case "__timestamp__": return .time(time, zone: 0)
        case "and", "or":
            // What decides ends it.
            var value = TemplateValue.nothing
            for argument in arguments {
                value = try evaluate(argument)
                if value.isTrue != (function == "and") { return value }
            }
            return last ?? value
        default:
            var values: [TemplateValue] = []
            for argument in arguments { values.append(try evaluate(argument)) }
            if let last { values.append(last) }
            return try TemplateFunctions.call(function, values, patterns)
        }
    }

    private func evaluate(_ argument: LineTemplate.Argument) throws(QueryError) -> TemplateValue {
        switch argument {
        case .dot: return dots.last ?? .text(map)
        case .field(let path): return try field(path, of: dots.last)
        case .variable(let name, let path):
            if name.isEmpty { return try path.isEmpty ? .text(map) : field(path, of: nil) }
            guard let variable = variables.last(where: { $0.name == name }) else {
                throw QueryError(.execution, "template: line:1: undefined variable \"$\(name)\"")
            }
            guard path.isEmpty else { throw Self.noField(path[0]) }
            return variable.value
        case .literal(let value): return value
        case .call(let function): return try call(function, [], last: nil)
        case .pipeline(let pipeline): return try evaluate(pipeline)
        }
    }

    private func field(_ path: [String], of value: TemplateValue?) throws(QueryError) -> TemplateValue {
        guard value == nil, path.count == 1 else { throw Self.noField(path[path.count - 1]) }
        return .text(labels?[path[0]] ?? "")
    }

    private static func noField(_ name: String) -> QueryError {
        QueryError(.execution, "template: line:1: can't evaluate field \(name) in type string")
    }

    /// All labels, as Go prints a map.
    private var map: String {
        let all = labels?.all().map { "\($0.label.name):\($0.label.value)" } ?? []
        return "map[" + all.sorted().joined(separator: " ") + "]"
    }
}
