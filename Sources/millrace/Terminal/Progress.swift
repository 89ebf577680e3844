import NIOCore

/// One line on STDERR that says how far a long command has come, rewritten in place; only if a person sees it, and
/// only once the command has taken a while.
struct Progress {
    /// Nothing is shown before: most commands are over by then.
    static let patience: TimeAmount = .seconds(1)
    static let interval: TimeAmount = .milliseconds(200)

    private let isShown: Bool
    private let started: NIODeadline
    private var last: NIODeadline
    private var width = 0

    /// `isWanted` false keeps it quiet whatever STDERR is.
    init(isWanted: Bool = true, now: NIODeadline = .now()) {
        isShown = isWanted && StandardError.isTerminal
        started = now
        last = now + Self.patience - Self.interval
    }

    /// Whether a line is due. Cheap enough to ask often.
    func isDue(now: NIODeadline) -> Bool { isShown && now >= last + Self.interval }

    /// Seconds since the start.
    func seconds(now: NIODeadline) -> Double { Double((now - started).nanoseconds) / 1e9 }

    mutating func show(_ line: String, now: NIODeadline) {
        last = now
        let padding = String(repeating: " ", count: max(0, width - line.count))
        width = line.count
        StandardError.write("\r\(line)\(padding)")
    }

    /// Removes the line.
    mutating func clear() {
        guard width > 0 else { return }
        StandardError.write("\r" + String(repeating: " ", count: width) + "\r")
        width = 0
    }
}

/// Numbers as people read them.
enum Amount {
    /// `12`, `3.4 k`, `1.2 M`
    static func count(_ value: Double) -> String { scaled(value, step: 1_000, units: ["", " k", " M", " G", " T"]) }

    /// `12 B`, `3.4 KiB`, `1.2 MiB`
    static func bytes(_ value: Double) -> String {
        scaled(value, step: 1_024, units: [" B", " KiB", " MiB", " GiB", " TiB"])
    }

    /// `0.12 s`, `3.4 s`, `125 s`
    static func seconds(_ value: Double) -> String { digits(value) + " s" }

    private static func scaled(_ value: Double, step: Double, units: [String]) -> String {
        var value = value
        var unit = 0
        while value >= step * 0.9995, unit < units.count - 1 {
            value /= step
            unit += 1
        }
        return (unit == 0 ? "\(Int64(value.rounded()))" : digits(value)) + units[unit]
    }

    /// Three digits that matter.
    private static func digits(_ value: Double) -> String {
        let places: Double = value < 0.995 ? 100 : value < 100 ? 10 : 1
        let rounded = (value * places).rounded()
        guard places > 1 else { return "\(Int64(rounded))" }
        let whole = Int64(rounded / places)
        let fraction = Int64(rounded) % Int64(places)
        return "\(whole).\(places == 100 && fraction < 10 ? "0" : "")\(fraction)"
    }
}
