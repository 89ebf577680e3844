import Telemetry

/// How a log line is shown to a person. Pure.
struct LogLineFormat {
    /// Whether colours are used.
    var isColoured = false
    /// Whether a line of JSON is folded: its message, then its fields.
    var foldsJSON = false
    /// Whether the labels are shown, and not just what tells the program.
    var showsLabels = false
    /// Whether nothing but the line itself is shown.
    var isRaw = false

    /// Labels that name a program, the best first.
    private static let programs = ["app", "service_name", "service", "job", "container", "unit", "topic"]
    /// Fields that hold a message, and fields that are told elsewhere.
    private static let messages = ["msg", "message", "_msg", "log"]
    private static let told: Set<String> = ["ts", "time", "timestamp", "_time", "level", "lvl", "severity"]

    private enum Colour: String {
        case dim = "2"
        case red = "31"
        case boldRed = "1;31"
        case yellow = "33"
        case green = "32"
        case cyan = "36"
    }

    /// The line with its newline. `isContext` marks what stands around a hit.
    func text(_ line: LokiAnswer.Line, isContext: Bool = false) -> String {
        guard !isRaw else { return line.text + "\n" }
        let level = line.labels["detected_level"] ?? line.labels["level"] ?? ""
        var parts = [paint(.dim, Self.time(line.time))]
        if showsLabels {
            parts.append(paint(.cyan, Self.labels(line.labels)))
        } else if let name = Self.programs.lazy.compactMap({ line.labels[$0] }).first {
            parts.append(paint(.cyan, name))
        }
        if isColoured, !level.isEmpty, level != "unknown" { parts.append(paint(colour(of: level), Self.short(level))) }
        let body = foldsJSON ? folded(line.text) ?? visible(line.text) : isColoured ? visible(line.text) : line.text
        parts.append(isContext ? paint(.dim, body) : body)
        return parts.joined(separator: " ") + "\n"
    }

    /// A JSON object as `message name=value …`; nil if it is none.
    private func folded(_ text: String) -> String? {
        guard text.utf8.first == UInt8(ascii: "{") else { return nil }
        var fields: [(name: String, value: String)] = []
        let failure = Array(text.utf8).withUnsafeBytes { line in
            FieldReader().visit(.json, line) { name, value in
                fields.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
                return true
            }
        }
        guard failure == nil else { return nil }
        let message = Self.messages.lazy.compactMap { name in fields.first { $0.name == name } }.first
        var parts = message.map { [visible($0.value)] } ?? []
        for field in fields where field.name != message?.name && !Self.told.contains(field.name) {
            parts.append(paint(.dim, "\(field.name)=") + visible(field.value))
        }
        return parts.joined(separator: " ")
    }

    /// Control characters of a line must not command a terminal.
    func visible(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 && $0 != 9 || $0 == 0x7F }) else { return text }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 && $0 != "\t" || $0.value == 0x7F ? "\u{FFFD}" : $0 }))
    }

    private func paint(_ colour: Colour, _ text: String) -> String {
        isColoured ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    private func colour(of level: String) -> Colour {
        switch level {
        case "fatal", "critical": .boldRed
        case "error": .red
        case "warn", "warning": .yellow
        case "info": .green
        default: .dim
        }
    }

    private static func short(_ level: String) -> String {
        switch level {
        case "warning": "warn"
        case "critical": "crit"
        default: level
        }
    }

    /// `{app="x", host="y"}`.
    static func labels(_ labels: [String: String]) -> String {
        StreamLabels(labels.map { StreamLabels.Label($0.key, $0.value) }).text
    }

    /// UTC with milliseconds, as it can be given back with --from.
    static func time(_ nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds >= 0 ? nanoseconds / 1_000_000 : (nanoseconds - 999_999) / 1_000_000
        return timestamp(milliseconds: milliseconds)
    }
}
