import Glibc
import Instruments
import Logging
import Machine
import Synchronization

/// How log lines look on STDERR.
enum LogFormat: String, CaseIterable, Sendable {
    /// `time=… level=info message="…" key=value`
    case logfmt
    /// One JSON object per line.
    case json
}

/// Which log lines are written, for every logger of the server; changes while it runs.
final class LiveLogLevel: Sendable {
    private static let levels = Logger.Level.allCases
    private let index: Atomic<Int>

    init(_ level: Logger.Level) {
        index = Atomic(Self.levels.firstIndex(of: level) ?? 0)
    }

    var value: Logger.Level {
        get { Self.levels[index.load(ordering: .relaxed)] }
        set { index.store(Self.levels.firstIndex(of: newValue) ?? 0, ordering: .relaxed) }
    }
}

/// How many lines were logged, by level: an alert on warnings and errors needs nobody to read them.
struct LoggedLines: Sendable {
    private let counters: [Logger.Level: Counter]

    init(_ registry: InstrumentRegistry) {
        counters = Logger.Level.allCases.reduce(into: [:]) { counters, level in
            counters[level] = registry.counter(
                "millrace_logged_lines_total", help: "Lines logged, by level.", labels: [Label("level", level.rawValue)]
            )
        }
    }

    func count(_ level: Logger.Level) { counters[level]?.add() }
}

/// Writes each log message as one line to STDERR, in one system call, so that lines of several threads do not mix.
///
/// There is no buffer: what is logged before a crash is seen. A reader of STDERR that stops reading stops the thread
/// that logs; lines on hot paths are limited where they arise.
struct LineLogHandler: LogHandler {
    /// Of this copy alone, if somebody sets it; else the level of all, which may change.
    var logLevel: Logger.Level {
        get { own ?? shared.value }
        set { own = newValue }
    }
    var metadata: Logger.Metadata = [:]
    let label: String
    let format: LogFormat
    let clock: any Clock
    let lines: LoggedLines
    let write: @Sendable ([UInt8]) -> Void
    private let shared: LiveLogLevel
    private var own: Logger.Level?

    init(
        label: String, format: LogFormat, level: LiveLogLevel, clock: any Clock,
        lines: LoggedLines = LoggedLines(InstrumentRegistry()),
        write: @escaping @Sendable ([UInt8]) -> Void = writeToStandardError
    ) {
        self.label = label
        self.format = format
        shared = level
        self.clock = clock
        self.lines = lines
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.count(event.level)
        let merged = metadata.merging(event.metadata ?? [:]) { $1 }
        var fields: [(String, String)] = [
            ("time", timestamp(milliseconds: clock.wallMilliseconds())),
            ("level", event.level.rawValue), ("from", label), ("message", event.message.description),
        ]
        fields += merged.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
        write(Array((line(fields) + "\n").utf8))
    }

    private func line(_ fields: [(String, String)]) -> String {
        switch format {
        case .logfmt: fields.map { "\($0.0)=\(logfmtValue($0.1))" }.joined(separator: " ")
        case .json: "{" + fields.map { "\(quoted($0.0)):\(quoted($0.1))" }.joined(separator: ",") + "}"
        }
    }
}

/// A value as logfmt wants it: bare if it is one plain word, else quoted.
private func logfmtValue(_ value: String) -> String {
    let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3d && $0 != 0x7f }
    return isPlain ? value : quoted(value)
}

/// A JSON string (RFC 8259 section 7).
private func quoted(_ value: String) -> String {
    var result = "\""
    for scalar in value.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case _ where scalar.value < 0x20 || scalar.value == 0x7f:
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

/// RFC 3339 in UTC with milliseconds: `2026-11-21T01:38:05.123Z`. Days to a date by Howard Hinnant's
/// `civil_from_days`, since a formatter would bring full Foundation.
func timestamp(milliseconds: Int64) -> String {
    let (days, time) = (milliseconds.floorDivided(by: 86_400_000), milliseconds.floorModulo(86_400_000))
    let shifted = days + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let dayOfEra = shifted.floorModulo(146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let (hour, minute) = (time / 3_600_000, time / 60_000 % 60)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(hour, 2)):\(padded(minute, 2)):"
        + "\(padded(time / 1_000 % 60, 2)).\(padded(time % 1_000, 3))Z"
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = "\(value)"
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

extension Int64 {
    fileprivate func floorModulo(_ divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }

    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        (self - floorModulo(divisor)) / divisor
    }
}

/// Writes to STDERR, whole.
@Sendable
func writeToStandardError(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let written = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if written < 0 && errno != EINTR { return }
        rest = rest.dropFirst(max(0, written))
    }
}
