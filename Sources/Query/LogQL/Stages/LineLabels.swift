public import Telemetry

/// The labels of one line while it goes through a pipeline: the stream's, its structured metadata and what parsers
/// found. Values are bytes; text is made of them only when it is asked for.
public final class LineLabels {
    /// Where a label comes from.
    public enum Origin: Sendable {
        case stream
        case metadata
        case parsed
    }

    private struct Entry {
        var name: String
        var value: Range<Int>
        var origin: Origin
    }

    private var stream: [StreamLabels.Label] = []
    private var entries: [Entry] = []
    private var deleted: [String] = []
    private let arena = ByteArena()

    /// What went wrong, "" if nothing did: the label `__error__`.
    public internal(set) var error = ""
    /// More about it: the label `__error_details__`.
    public internal(set) var errorDetails = ""

    static let errorName = "__error__"
    static let errorDetailsName = "__error_details__"

    init() {}

    /// Begins with the labels of another stream.
    func begin(_ labels: StreamLabels) {
        stream = labels.labels
        reset([])
    }

    /// Begins with another line of the stream.
    func reset(_ metadata: [StreamLabels.Label]) {
        entries.removeAll(keepingCapacity: true)
        deleted.removeAll(keepingCapacity: true)
        arena.removeAll()
        error = ""
        errorDetails = ""
        for label in metadata {
            switch label.name {
            case Self.errorName: error = label.value
            case Self.errorDetailsName: errorDetails = label.value
            default:
                let name = hasStream(label.name) ? label.name + "_extracted" : label.name
                entries.append(Entry(name: name, value: arena.append(label.value), origin: .metadata))
            }
        }
    }

    /// Whether a parser has found a label, or a stage made it.
    func hasParsed(_ name: String) -> Bool { entries.contains { $0.name == name && $0.origin == .parsed } }

    /// Whether the stream or the line's metadata have a label: what a parser finds under that name gets a suffix.
    func hasOwn(_ name: String) -> Bool {
        hasStream(name) || entries.contains { $0.name == name && $0.origin == .metadata }
    }

    /// Whether the stream has a label, changed or not.
    func hasStream(_ name: String) -> Bool { stream.contains { $0.name == name } }

    /// Sets what a parser found, or a stage made.
    func set(_ name: String, _ value: UnsafeRawBufferPointer) { set(name, arena.append(value)) }

    func set(_ name: String, _ value: String) { set(name, arena.append(value)) }

    private func set(_ name: String, _ value: Range<Int>) {
        if let place = entries.firstIndex(where: { $0.name == name }) {
            entries[place] = Entry(name: name, value: value, origin: .parsed)
        } else {
            entries.append(Entry(name: name, value: value, origin: .parsed))
        }
    }

    /// Gives a label's value to another name, under which it is gone then.
    func rename(_ source: String, to target: String) {
        guard let range = copied(source) else { return }
        set(target, range)
        remove(source)
    }

    private func copied(_ name: String) -> Range<Int>? {
        if let entry = entries.first(where: { $0.name == name }) { return entry.value }
        if deleted.contains(name) { return nil }
        return stream.first { $0.name == name }.map { arena.append($0.value) }
    }

    func remove(_ name: String) {
        entries.removeAll { $0.name == name }
        if !deleted.contains(name) { deleted.append(name) }
    }

    /// A label's value, valid during the call; nil if there is none. `__error__` is there once it is set.
    public func withValue<R>(_ name: String, _ body: (UnsafeRawBufferPointer?) -> R) -> R {
        if let entry = entries.first(where: { $0.name == name }) { return body(arena.bytes(entry.value)) }
        if var text = special(name) { return text.withUTF8 { body(UnsafeRawBufferPointer($0)) } }
        if deleted.contains(name) { return body(nil) }
        guard let label = stream.first(where: { $0.name == name }) else { return body(nil) }
        var text = label.value
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }

    private func special(_ name: String) -> String? {
        if name == Self.errorName, !error.isEmpty { return error }
        if name == Self.errorDetailsName, !errorDetails.isEmpty { return errorDetails }
        return nil
    }

    /// A label's value, nil if there is none.
    public subscript(name: String) -> String? {
        withValue(name) { bytes in bytes.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// Whether nothing differs from the stream's own labels.
    public var areUnchanged: Bool { entries.isEmpty && deleted.isEmpty && error.isEmpty && errorDetails.isEmpty }

    /// All labels, in no order, those without a value too.
    func all() -> [(label: StreamLabels.Label, origin: Origin)] {
        var result: [(StreamLabels.Label, Origin)] = []
        result.reserveCapacity(stream.count + entries.count + 2)
        for label in stream where !deleted.contains(label.name) && !entries.contains(where: { $0.name == label.name }) {
            result.append((label, .stream))
        }
        for entry in entries {
            let value = String(decoding: arena.bytes(entry.value), as: UTF8.self)
            result.append((StreamLabels.Label(entry.name, value), entry.origin))
        }
        if !error.isEmpty { result.append((StreamLabels.Label(Self.errorName, error), .parsed)) }
        if !errorDetails.isEmpty { result.append((StreamLabels.Label(Self.errorDetailsName, errorDetails), .parsed)) }
        return result
    }

    /// The labels of the line's stream in an answer, sorted; those without a value are none.
    public func labels() -> StreamLabels { StreamLabels(all().map(\.label)) }

    /// The labels of one origin, sorted: what Loki tells clients that ask for categories.
    public func labels(from origin: Origin) -> [StreamLabels.Label] {
        StreamLabels(all().filter { $0.origin == origin }.map(\.label)).labels
    }
}
