import Patterns
import Telemetry

/// Conditions.
extension LineRunner {
    func holds(_ test: LineTest) -> Bool {
        switch test {
        case .contains(let text): ByteFinder.first(text, in: line, from: 0) != nil
        case .containsIgnoringCase(let text): ByteFinder.containsFolded(text, in: line)
        case .pattern(let slot): matchers[slot].matches(line)
        case .form(let pattern): pattern.matches(line)
        case .address(let filter): filter.occurs(in: line)
        }
    }

    func holds(_ test: TextTest, _ text: UnsafeRawBufferPointer) -> Bool {
        switch test {
        case .equals(let other): text.elementsEqual(other)
        case .differs(let other): !text.elementsEqual(other)
        case .matches(let slot): matchers[slot].matches(text)
        case .matchesNot(let slot): !matchers[slot].matches(text)
        }
    }

    func holds(_ test: LabelTest) -> Bool {
        switch test {
        case .and(let left, let right): return holds(left) && holds(right)
        case .or(let left, let right): return holds(left) || holds(right)
        case .text(let name, let test):
            // A label that is not there is as good as an empty one.
            return labels.withValue(name) { holds(test, $0 ?? UnsafeRawBufferPointer(start: nil, count: 0)) }
        case .number(let name, let comparison, let value):
            return measure(name, nil, { Self.compares(comparison, $0, value) }) { GoNumber.parse($0) }
        case .duration(let name, let comparison, let value):
            return measure(name, .duration, { Self.compares(comparison, $0, value) }) {
                GoDuration.parseGo(String(decoding: $0, as: UTF8.self))
            }
        case .bytes(let name, let comparison, let value):
            return measure(name, .bytes, { Self.compares(comparison, $0, value) }) {
                ByteSize.parse(String(decoding: $0, as: UTF8.self))
            }
        case .address(let name, let filter, let isNegative):
            // With an error in place only conditions on text drop a line.
            guard labels.error.isEmpty else { return true }
            return labels.withValue(name) { bytes in bytes.map { filter.occurs(in: $0) != isNegative } ?? false }
        }
    }

    /// A condition on what a label's text means. Text without a meaning is an error of the line, which stays.
    private func measure<Value>(
        _ name: String, _ conversion: Unwrap.Conversion?, _ holds: (Value) -> Bool,
        _ parse: (UnsafeRawBufferPointer) -> Value?
    ) -> Bool {
        guard labels.error.isEmpty else { return true }
        var details: String?
        let outcome = labels.withValue(name) { bytes -> Bool in
            guard let bytes else { return false }
            guard let value = parse(bytes) else {
                details = LabelValues.fault(bytes, conversion)
                return true
            }
            return holds(value)
        }
        if let details {
            labels.error = "LabelFilterErr"
            labels.errorDetails = details
        }
        return outcome
    }

    @inline(__always)
    private static func compares<Value: Comparable>(
        _ comparison: LabelFilter.Comparison, _ left: Value, _ right: Value
    ) -> Bool {
        switch comparison {
        case .equal: left == right
        case .notEqual: left != right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .less: left < right
        case .lessOrEqual: left <= right
        }
    }

    func drop(_ selections: [SelectionTest]) {
        for selection in selections {
            let name = selection.name
            if name == LineLabels.errorName || name == LineLabels.errorDetailsName {
                let text = Array((name == LineLabels.errorName ? labels.error : labels.errorDetails).utf8)
                if let test = selection.test, !text.withUnsafeBytes({ holds(test, $0) }) { continue }
                if name == LineLabels.errorName { labels.error = "" } else { labels.errorDetails = "" }
                continue
            }
            let goes = labels.withValue(name) { bytes -> Bool in
                guard let test = selection.test else { return bytes != nil }
                return holds(test, bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
            }
            if goes { labels.remove(name) }
        }
    }

    func keep(_ selections: [SelectionTest]) {
        for (label, _) in labels.all() {
            if label.name == LineLabels.errorName || label.name == LineLabels.errorDetailsName { continue }
            let stays = selections.contains { selection in
                guard selection.name == label.name else { return false }
                guard let test = selection.test else { return true }
                return Array(label.value.utf8).withUnsafeBytes { holds(test, $0) }
            }
            if !stays { labels.remove(label.name) }
        }
    }
}
