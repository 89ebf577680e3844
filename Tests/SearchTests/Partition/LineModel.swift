import Patterns
import Search
import Telemetry

/// What a partition must answer, told as plainly as can be: a list of lines, nothing else.
struct LineModel {
    var lines: Set<FoundLine> = []
    var retention = SearchRetention()

    mutating func push(_ line: FoundLine) {
        var line = line
        let labels = (try? StreamLabels(text: line.stream))?.labels ?? []
        let metadata = line.metadata.sorted { $0.key < $1.key }.map { StreamLabels.Label($0.key, $0.value) }
        line.level = line.line.withUnsafeBytes {
            LevelDetection.level(of: $0, stream: LevelDetection.level(ofStream: labels), metadata: metadata)
        }
        lines.insert(line)
    }

    mutating func delete(_ deletion: SearchDeletion) throws {
        let selector = try StreamSelector(deletion.selector)
        lines = try lines.filter { line in
            let isConcerned =
                try selector.matches(StreamLabels(text: line.stream))
                && (deletion.first...deletion.last).contains(line.time)
                && Self.contains(line.line, deletion.containing)
            return !isConcerned
        }
    }

    /// Whether a line is still kept.
    func isKept(_ line: FoundLine, now: Int64) throws -> Bool {
        let labels = try StreamLabels(text: line.stream)
        let rule = try retention.rules.first { try StreamSelector($0.selector).matches(labels) }
        let duration = rule?.nanoseconds ?? retention.nanoseconds
        return duration == 0 || line.time >= now - duration
    }

    static func contains(_ line: [UInt8], _ text: [UInt8]) -> Bool {
        text.isEmpty
            || line.count >= text.count
                && (0...(line.count - text.count)).contains { line[$0..<($0 + text.count)].elementsEqual(text) }
    }

    /// Whether a condition holds, by the plainest way.
    static func holds(_ condition: LineCondition, _ line: FoundLine) -> Bool {
        switch condition {
        case .all: return true
        case .contains(let text): return contains(line.line, text)
        case .containsIgnoringCase(let text):
            return contains(line.line.map { (65...90).contains($0) ? $0 + 32 : $0 }, text)
        case .matches(let pattern, _): return pattern.matches(line.line)
        case .field(let field, let test):
            var value: [UInt8]?
            line.line.withUnsafeBytes { bytes in
                _ = FieldReader().visit(field.format, bytes) { name, text in
                    if String(decoding: name, as: UTF8.self) == field.name { value = Array(text) }
                    return true
                }
            }
            guard let value else { return false }
            switch test {
            case .exists: return true
            case .equals(let wanted): return value == wanted
            case .matches(let pattern): return pattern.matches(value)
            case .number(.greater, let number): return (Double(String(decoding: value, as: UTF8.self)) ?? -1) > number
            default: return false
            }
        case .malformed(let format):
            return line.line.withUnsafeBytes { FieldReader().visit(format, $0) { _, _ in true } != nil }
        case .level(let levels): return levels.contains(line.level)
        case .and(let parts): return parts.allSatisfy { holds($0, line) }
        case .or(let parts): return parts.contains { holds($0, line) }
        case .not(let part): return !holds(part, line)
        }
    }
}
