import Patterns

/// Stages that write lines and labels anew.
extension LineRunner {
    func format(_ template: LineTemplate) {
        if let label = template.onlyLabel {
            let value = labels.withValue(label) { bytes in bytes.map { Array($0) } ?? [] }
            return setLine { arena in _ = value.withUnsafeBytes { arena.append($0) } }
        }
        do throws(QueryError) {
            let text = try renderer.render(template, line: line, time: time, labels: labels)
            setLine { arena in _ = arena.append(text) }
        } catch {
            labels.error = "TemplateFormatErr"
            labels.errorDetails = error.message
        }
    }

    /// All templates see the labels as they were when the first of them ran, as Loki's do.
    func format(_ formats: [LinePipeline.LabelFormatStep]) {
        var results: [(label: String, text: String)] = []
        for format in formats {
            switch format.value {
            case .rename(let source):
                for result in results { labels.set(result.label, result.text) }
                results = []
                labels.rename(source, to: format.label)
            case .template(let template):
                do throws(QueryError) {
                    let text = try renderer.render(template, line: line, time: time, labels: labels)
                    results.append((format.label, text))
                } catch {
                    labels.error = "TemplateFormatErr"
                    labels.errorDetails = error.message
                }
            }
        }
        for result in results { labels.set(result.label, result.text) }
    }

    func decolorize(_ matcher: PatternMatcher) {
        guard ColorCodes.mayOccur(in: line) else { return }
        let old = line
        setLine { arena in
            var position = 0
            while matcher.matches(old, from: position), let range = matcher.range(of: 0), !range.isEmpty {
                _ = arena.append(UnsafeRawBufferPointer(rebasing: old[position..<range.lowerBound]))
                position = range.upperBound
            }
            _ = arena.append(UnsafeRawBufferPointer(rebasing: old[position...]))
        }
    }
}
