import ArgumentParser
import Glibc
import Logging

/// The environment of the process, or of a test.
struct ServeEnvironment: Sendable {
    let value: @Sendable (String) -> String?

    static let current = ServeEnvironment { name in getenv(name).map { String(cString: $0) } }
}

/// Takes a value from its option, or else from its environment variable, and checks it. An empty variable counts as
/// not set.
struct ServeValues {
    private let environment: ServeEnvironment

    init(_ environment: ServeEnvironment) {
        self.environment = environment
    }

    /// A text as it is.
    func text(_ name: String, _ option: String?) -> String? {
        option ?? variable(name)
    }

    /// An integer within limits.
    func number<Value: FixedWidthInteger & Sendable>(
        _ name: String, _ option: Value?, in limits: ClosedRange<Value>
    ) throws -> Value? {
        var value = option
        if value == nil, let text = variable(name) {
            guard let parsed = Value(text) else {
                throw ValidationError("\(variableName(name)) is not a number: \(text)")
            }
            value = parsed
        }
        guard let value else { return nil }
        guard limits.contains(value) else {
            throw ValidationError("--\(name) is \(value); it must be \(limits.lowerBound) to \(limits.upperBound)")
        }
        return value
    }

    /// One of several words.
    func choice<Value: RawRepresentable & CaseIterable>(_ name: String, _ option: String?) throws -> Value?
    where Value.RawValue == String {
        guard let text = text(name, option) else { return nil }
        guard let value = Value(rawValue: text) else {
            let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--\(name) is \(text); it must be one of \(words)")
        }
        return value
    }

    /// The variable of a flag: true or false, nil if not set.
    func isTrue(_ name: String) throws -> Bool? {
        switch variable(name) {
        case nil: return nil
        case "true", "1": return true
        case "false", "0": return false
        case let text?: throw ValidationError("\(variableName(name)) is \(text); it must be true or false")
        }
    }

    /// `HOST:PORT`, with an IPv6 host in brackets.
    func address(_ name: String, _ option: String?) throws -> (host: String, port: Int)? {
        guard let text = text(name, option) else { return nil }
        let problem = ValidationError(
            "--\(name) is \(text); it must be HOST:PORT, such as 127.0.0.1:9092 or [::1]:9092")
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw problem
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw problem
        }
        guard !host.isEmpty else { throw problem }
        return (String(host), Int(port))
    }

    private func variable(_ name: String) -> String? {
        environment.value(variableName(name)).flatMap { $0.isEmpty ? nil : $0 }
    }

    private func variableName(_ name: String) -> String {
        "MILLRACE_" + name.uppercased().split(separator: "-").joined(separator: "_")
    }
}

/// A path from the root, as Kafka's clients expect the log's directory to be told.
func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    return String(cString: here) + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
}
