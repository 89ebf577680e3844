import Yams

/// What can be wrong with a configuration file before its keys are looked at.
enum ConfigurationText {
    /// The text of a file, fit for the YAML parser: UTF-8, not empty, within bounds, without aliases.
    static func decode(_ bytes: [UInt8], name: String) throws(Mistake) -> String {
        guard bytes.count <= ConfigurationFile.maximumBytes else {
            throw Mistake(
                FilePlace(file: name),
                "the file has more than \(ConfigurationFile.maximumBytes) bytes: this is no configuration")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Mistake(place(ofInvalid: bytes, name), "not UTF-8: save the file as UTF-8")
        }
        guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
            throw Mistake(
                FilePlace(file: name, line: 1, column: 1),
                "the file is empty: `millrace config --yaml` prints one to start from")
        }
        try checkAliases(text, name)
        return text
    }

    /// Aliases make a small file stand for an endless one, and no setting needs them.
    private static func checkAliases(_ text: String, _ name: String) throws(Mistake) {
        for (index, line) in lines(text).enumerated() {
            guard let column = columnOfAlias(Array(line.unicodeScalars)) else { continue }
            throw Mistake(
                FilePlace(file: name, line: index + 1, column: column),
                "anchors (&name) and aliases (*name) are not taken here: write the value out")
        }
    }

    private static func lines(_ text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    }

    /// The column, from 1, of the first anchor or alias of a line outside quotes and comments; nil if there is none.
    private static func columnOfAlias(_ line: [Unicode.Scalar]) -> Int? {
        var quote: Unicode.Scalar?
        var previous: Unicode.Scalar = " "
        // A byte order mark begins the first line of some.
        let line = line.first == "\u{feff}" ? [" "] + line.dropFirst() : line
        for (index, scalar) in line.enumerated() {
            let isStart = previous == " " || previous == "\t" || "[{,".unicodeScalars.contains(previous)
            if let open = quote {
                if scalar == open { quote = nil }
            } else if isStart, scalar == "\"" || scalar == "'" {
                quote = scalar
            } else if isStart, scalar == "#" {
                return nil
            } else if isStart, scalar == "&" || scalar == "*", index + 1 < line.count, line[index + 1] != " " {
                return index + 1
            }
            previous = scalar
        }
        return nil
    }

    /// The place of the first byte that is not UTF-8.
    private static func place(ofInvalid bytes: [UInt8], _ name: String) -> FilePlace {
        var place = FilePlace(file: name, line: 1, column: 1)
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            (place.line, place.column) = scalar == "\n" ? (place.line + 1, 1) : (place.line, place.column + 1)
        }
        return place
    }

    /// What the YAML parser says.
    static func mistakes(of error: any Error, in text: String, name: String) -> [Mistake] {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            return [
                Mistake(
                    FilePlace(file: name, line: mark.line, column: mark.column),
                    syntax(problem, context?.text, hint: hint(lines(text), mark.line)))
            ]
        case .reader(let problem, let offset, _, _):
            let before = lines(String(text.prefix(offset ?? 0)))
            let place = FilePlace(file: name, line: before.count, column: (before.last?.count ?? 0) + 1)
            return [Mistake(place, syntax(problem, nil, hint: ""))]
        case .duplicatedKeysInMapping(let keys, let context):
            return keys.sorted().map { duplicate($0, context.mark, text, name) }
        default: return [Mistake(FilePlace(file: name), syntax("\(error)", nil, hint: ""))]
        }
    }

    private static func syntax(_ problem: String, _ context: String?, hint: String) -> String {
        if problem.hasPrefix("Maximum nesting level") {
            return "this is nested too deeply: settings are names with values"
        }
        return "this is not YAML: " + (context.map { "\($0), " } ?? "") + problem + hint
    }

    /// What is most often behind it: YAML takes a bracket for the beginning of a list.
    private static func hint(_ lines: [Substring], _ number: Int) -> String {
        guard lines.indices.contains(number - 1), lines[number - 1].firstRange(of: ": [") != nil else { return "" }
        return "; a value that begins with [ needs quotes"
    }

    private static func duplicate(_ key: String, _ mark: Mark, _ text: String, _ name: String) -> Mistake {
        let places = linesOf(key, in: text)
        guard let first = places.first, let last = places.last, places.count > 1 else {
            let place = FilePlace(file: name, line: mark.line, column: mark.column)
            return Mistake(place, "key \(Mistake.quoted(key)) is given more than once: keep one")
        }
        return Mistake(
            FilePlace(file: name, line: last.line, column: last.column),
            "key \(Mistake.quoted(key)) is given again: line \(first.line) has it already")
    }

    /// Where a key begins a line.
    private static func linesOf(_ key: String, in text: String) -> [(line: Int, column: Int)] {
        lines(text).enumerated().compactMap { index, line in
            let content = line.drop { $0 == " " }
            guard content.hasPrefix(key + ":") || content.hasPrefix("\"\(key)\":") else { return nil }
            return (index + 1, line.count - content.count + 1)
        }
    }
}
