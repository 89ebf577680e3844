import Patterns
public import Telemetry

/// Runs lines through a pipeline, one after the other, reusing its memory. For one thread.
public final class LineRunner {
    let pipeline: LinePipeline
    let matchers: [PatternMatcher]
    let reader = FieldReader()
    let renderer = TemplateRenderer()
    /// The labels of the last line that came through.
    public let labels = LineLabels()
    /// The last line that came through, valid until the next call and as long as what went in.
    public private(set) var line = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The last line's sample, if the pipeline unwraps one; 0 if its text is none, and then `labels.error` tells so.
    public private(set) var sample: Double?

    /// Two, for a stage reads what the one before made.
    private let made = [ByteArena(), ByteArena()]
    private var turn = 0
    private(set) var time: Int64 = 0

    init(_ pipeline: LinePipeline) {
        self.pipeline = pipeline
        matchers = pipeline.patterns.map(PatternMatcher.init)
    }

    /// Begins with the lines of a stream.
    public func begin(_ stream: StreamLabels) { labels.begin(stream) }

    /// Runs a line of the stream.
    ///
    /// - Parameters:
    ///   - time: in nanoseconds, for templates.
    /// - Returns: whether it came through.
    public func process(
        _ line: UnsafeRawBufferPointer, time: Int64, metadata: [StreamLabels.Label] = []
    ) -> Bool {
        labels.reset(metadata)
        self.line = line
        self.time = time
        sample = nil
        for step in pipeline.steps {
            guard run(step) else { return false }
        }
        guard let unwrap = pipeline.unwrap else { return true }
        return take(unwrap)
    }

    /// Whether a pattern gave up on a line; then the query's answer is not to be trusted, and this says why.
    public var exhaustion: QueryError? {
        pipeline.patterns.first { $0.gaveUp }.map { QueryError($0.exhaustion) }
    }

    private func run(_ step: LinePipeline.Step) -> Bool {
        switch step {
        case .lineFilter(let tests, let isNegative):
            for test in tests where holds(test) { return !isNegative }
            return isNegative
        case .labels(let test): return holds(test)
        case .json: extractJSON()
        case .jsonPaths(let paths): extract(paths)
        case .logfmt(let isStrict, let keepsEmpty): extractLogfmt(isStrict: isStrict, keepsEmpty: keepsEmpty)
        case .logfmtNames(let names, let isStrict): extract(names, isStrict: isStrict)
        case .regexp(let slot, let groups): extract(matchers[slot], groups)
        case .pattern(let pattern): extract(pattern)
        case .unpack: unpack()
        case .lineFormat(let template): format(template)
        case .labelFormat(let formats): format(formats)
        case .decolorize(let slot): decolorize(matchers[slot])
        case .drop(let selections): drop(selections)
        case .keep(let selections): keep(selections)
        }
        return true
    }

    /// Replaces the line.
    func setLine(_ body: (ByteArena) -> Void) {
        turn ^= 1
        let arena = made[turn]
        arena.removeAll()
        body(arena)
        line = arena.bytes(0..<arena.count)
    }

    private func take(_ unwrap: LinePipeline.UnwrapStep) -> Bool {
        enum Taken {
            case missing
            case value(Double)
            case fault(String)
        }
        let taken = labels.withValue(unwrap.label) { bytes -> Taken in
            guard let bytes, !bytes.isEmpty else { return .missing }
            if let value = LabelValues.sample(bytes, unwrap.conversion) { return .value(value) }
            return .fault(LabelValues.fault(bytes, unwrap.conversion))
        }
        switch taken {
        case .missing: return false
        case .value(let value): sample = value
        case .fault(let details):
            sample = 0
            labels.error = "SampleExtractionErr"
            labels.errorDetails = details
        }
        for filter in unwrap.filters where !holds(filter) { return false }
        return true
    }
}

/// What the text of a label means.
enum LabelValues {
    /// A sample's value.
    static func sample(_ bytes: UnsafeRawBufferPointer, _ conversion: Unwrap.Conversion?) -> Double? {
        switch conversion {
        case nil: return GoNumber.parse(bytes)
        case .bytes: return ByteSize.parse(String(decoding: bytes, as: UTF8.self)).map { Double($0) }
        case .duration, .durationSeconds:
            return GoDuration.parseGo(String(decoding: bytes, as: UTF8.self)).map { Double($0) / 1e9 }
        }
    }

    /// Why it is none, in Go's words.
    static func fault(_ bytes: UnsafeRawBufferPointer, _ conversion: Unwrap.Conversion?) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        switch conversion {
        case nil: return "strconv.ParseFloat: parsing \(goQuoted(text)): invalid syntax"
        case .duration, .durationSeconds: return durationFault(text)
        case .bytes: return bytesFault(text)
        }
    }

    private static func durationFault(_ text: String) -> String {
        let last = text.unicodeScalars.last.map { $0 >= "0" && $0 <= "9" || $0 == "." } ?? false
        let digits = text.contains { $0.isASCII && $0.isNumber }
        return "time: \(last && digits ? "missing unit in" : "invalid") duration \(goQuoted(text))"
    }

    private static func bytesFault(_ text: String) -> String {
        let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." || $0 == "," }
        guard Double(number.filter { $0 != "," }) != nil else {
            return "strconv.ParseFloat: parsing \(goQuoted(String(number))): invalid syntax"
        }
        let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
        return "unhandled size name: \(unit)"
    }
}
