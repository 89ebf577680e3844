import Bytes
import Telemetry

/// A deletion in the log: it concerns what was applied before, which is all of a block whose `appliedThrough` is not
/// beyond it.
struct Deletion: Sendable {
    let offset: Int64
    let selector: StreamSelector
    /// Which lines of the streams.
    let lines: HiddenLines

    /// - Throws: `.invalid` for a selector that cannot be read.
    init(_ command: SearchDeletion, offset: Int64) throws(SearchError) {
        self.offset = offset
        selector = try StreamSelector(command.selector)
        lines = HiddenLines(first: command.first, last: command.last, containing: command.containing)
    }

    /// The command that it came from.
    var command: SearchDeletion {
        SearchDeletion(
            selector: selector.text, first: lines.first, last: lines.last, containing: lines.containing)
    }

    /// Whether a stream is concerned.
    func matches(_ stream: StreamLabels) -> Bool { selector.matches(stream) }
}

/// Lines of one stream that readers do not see and that a merge leaves out: what a deletion took, or what has expired.
struct HiddenLines: Sendable, Equatable {
    /// The first moment, in nanoseconds.
    var first: Int64
    /// The last moment.
    var last: Int64
    /// A text that a hidden line holds; empty for every line.
    var containing: [UInt8]

    /// Assembles it.
    init(first: Int64, last: Int64, containing: [UInt8] = []) {
        self.first = first
        self.last = last
        self.containing = containing
    }
}

extension HiddenLines {
    /// Everything.
    static let all = HiddenLines(first: .min, last: .max)

    /// Whether a line is hidden.
    @inline(__always)
    func hides(time: Int64, line: UnsafeRawBufferPointer) -> Bool {
        guard time >= first, time <= last else { return false }
        return containing.isEmpty || containing.withUnsafeBytes { ByteSearch.first($0, in: line) != nil }
    }

    /// Whether every line between two times is hidden.
    func hidesAll(from minimum: Int64, through maximum: Int64) -> Bool {
        containing.isEmpty && first <= minimum && maximum <= last
    }

    /// Whether a line between two times may be hidden.
    func concerns(from minimum: Int64, through maximum: Int64) -> Bool { first <= maximum && minimum <= last }
}
