import Patterns
import Telemetry

/// Parsers: they add labels.
extension LineRunner {
    /// Sets a label that a parser found. One of the stream or of the metadata goes before it, and then it has a suffix.
    ///
    /// - Parameter isFirstOnly: whether what was found before stays.
    private func extract(_ name: String, _ value: UnsafeRawBufferPointer, isFirstOnly: Bool = false) {
        let name = labels.hasOwn(name) ? name + "_extracted" : name
        if let wanted = pipeline.wanted, !wanted.contains(name) { return }
        if isFirstOnly, labels.hasParsed(name) { return }
        labels.set(name, value)
    }

    private func fail(_ error: String, _ details: String) {
        labels.error = error
        labels.errorDetails = details
    }

    func extractJSON() {
        let failure = reader.visit(.json, line) { name, value in
            extract(String(decoding: name, as: UTF8.self), value, isFirstOnly: true)
            return true
        }
        if let failure { fail(failure.name, failure.details) }
    }

    func extract(_ paths: [(label: String, path: FieldPath)]) {
        guard let first = line.first else { return }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || first == UInt8(ascii: "\"") else {
            return fail("JSONParserErr", "")
        }
        for (label, path) in paths {
            if let value = reader.find(at: path.steps, in: line) {
                extract(label, value)
            } else if labels[label] == nil {
                // A label for every expression, if only an empty one.
                labels.set(label, "")
            }
        }
    }

    func extractLogfmt(isStrict: Bool, keepsEmpty: Bool) {
        let failure = reader.visit(.logfmt, line, keepsEmpty: keepsEmpty, isStrict: isStrict) { name, value in
            extract(String(decoding: name, as: UTF8.self), value, isFirstOnly: true)
            return true
        }
        if let failure { fail(failure.name, failure.details) }
    }

    func extract(_ names: [(label: String, name: String)], isStrict: Bool) {
        for (label, _) in names where !labels.hasOwn(label) { labels.set(label, "") }
        let failure = reader.visit(.logfmt, line, keepsEmpty: true, isStrict: isStrict) { name, value in
            let name = String(decoding: name, as: UTF8.self)
            for entry in names where entry.name == name { extract(entry.label, value) }
            return true
        }
        if let failure { fail(failure.name, failure.details) }
    }

    func extract(_ matcher: PatternMatcher, _ groups: [(group: Int, label: String)]) {
        guard matcher.matches(line) else { return }
        for (group, label) in groups {
            let range = matcher.range(of: group) ?? 0..<0
            extract(label, UnsafeRawBufferPointer(rebasing: line[range]))
        }
    }

    func extract(_ pattern: LinePattern) {
        let names = pattern.names
        pattern.captures(line) { index, value in extract(names[index], value) }
    }

    /// Promtail's packed lines: the fields become labels and `_entry` the line.
    func unpack() {
        guard let first = line.first else { return }
        guard first == UInt8(ascii: "{") else {
            return fail("JSONParserErr", "expecting json object(6), but it is not")
        }
        var packed: [(name: String, value: [UInt8])] = []
        var entry: [UInt8]?
        let failure = reader.visitStrings(line) { name, value in
            if name.elementsEqual("_entry".utf8) {
                entry = Array(value)
            } else {
                packed.append((String(decoding: name, as: UTF8.self), Array(value)))
            }
        }
        if let failure { return fail(failure.name, failure.details) }
        guard let entry else { return }
        for (name, value) in packed { value.withUnsafeBytes { extract(LabelNames.sanitized(name), $0) } }
        setLine { arena in _ = entry.withUnsafeBytes { arena.append($0) } }
    }
}

/// Names of labels.
enum LabelNames {
    /// A name as labels have it: `_` for what may not stand in one.
    static func sanitized(_ name: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in name.unicodeScalars {
            let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar == "_" || isDigit(scalar))
            if result.isEmpty, isDigit(scalar) { result.append("_") }
            result.append(isPlain ? scalar : "_")
        }
        return String(result)
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar >= "0" && scalar <= "9" }
}
