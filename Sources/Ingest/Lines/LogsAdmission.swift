import Decode
import Search
import Telemetry

/// Which lines of a push are taken: within the bounds that need no memory of earlier lines. What is beyond is refused
/// before it is in the log, in Loki's words. Pure.
struct LogsAdmission {
    /// A stream's lines that are taken.
    struct Stream {
        /// The canonical text of the labels: the records' key.
        let key: [UInt8]
        let labels: StreamLabels
        let entries: [LinePush.Entry]
    }

    private(set) var streams: [Stream] = []
    private(set) var refusal = PushRefusal()
    private let limits: SearchLimits

    /// The lines that are taken.
    var lineCount: Int { streams.reduce(0) { $0 + $1.entries.count } }

    init(_ push: LinePush, limits: SearchLimits) {
        self.limits = limits
        for failure in push.failures { refusal.add(failure) }
        if push.failureCount > push.failures.count {
            refusal.add("further entries could not be read", count: push.failureCount - push.failures.count)
        }
        for stream in push.streams { admit(stream, push) }
    }

    private mutating func admit(_ stream: LinePush.Stream, _ push: LinePush) {
        let labels = stream.labels
        if let reason = refusalOfLabels(labels) {
            return refusal.add(reason, count: max(1, stream.entries.count))
        }
        let key = Array(labels.text.utf8)
        // As a rule all are taken.
        if stream.entries.allSatisfy({ isWithin($0, push) }) {
            streams.append(Stream(key: key, labels: labels, entries: stream.entries))
            return
        }
        var taken: [LinePush.Entry] = []
        for entry in stream.entries {
            if isWithin(entry, push) { taken.append(entry) } else { refusal.add(reason(entry, push, labels)) }
        }
        streams.append(Stream(key: key, labels: labels, entries: taken))
    }

    private func refusalOfLabels(_ labels: StreamLabels) -> String? {
        guard !labels.labels.isEmpty else { return "error at least one label pair is required per stream" }
        guard labels.labels.count <= limits.labels else {
            return
                "entry for stream '\(Self.text(labels))' has \(labels.labels.count) label names; limit \(limits.labels)"
        }
        for label in labels.labels {
            if label.name.utf8.count > limits.labelNameBytes {
                return "stream '\(Self.text(labels))' has label name too long: '\(label.name.prefix(1_024))'"
            }
            if label.value.utf8.count > limits.labelValueBytes {
                return "stream '\(Self.text(labels))' has label value too long: '\(label.value.prefix(1_024))'"
            }
            guard StreamLabels.isLabelName(label.name) else {
                return "Error parsing labels '\(Self.text(labels))' with error: invalid label name '\(label.name)'"
            }
        }
        return nil
    }

    @inline(__always)
    private func isWithin(_ entry: LinePush.Entry, _ push: LinePush) -> Bool {
        guard entry.line.count <= limits.lineBytes else { return false }
        return entry.metadata.isEmpty
            || entry.metadata.count <= limits.metadataEntries && metadataBytes(entry, push) <= limits.metadataBytes
    }

    private func metadataBytes(_ entry: LinePush.Entry, _ push: LinePush) -> Int {
        push.fields[entry.metadata].reduce(0) { $0 + $1.name.count + $1.value.count }
    }

    private func reason(_ entry: LinePush.Entry, _ push: LinePush, _ labels: StreamLabels) -> String {
        if entry.line.count > limits.lineBytes {
            return """
                Max entry size '\(limits.lineBytes)' bytes exceeded for stream '\(Self.text(labels))' while adding an \
                entry with length '\(entry.line.count)' bytes
                """
        }
        if entry.metadata.count > limits.metadataEntries {
            return """
                stream '\(Self.text(labels))' has too many structured metadata labels: '\(entry.metadata.count)', \
                limit: '\(limits.metadataEntries)'
                """
        }
        return """
            stream '\(Self.text(labels))' has structured metadata too large: '\(metadataBytes(entry, push))' bytes, \
            limit: '\(limits.metadataBytes)' bytes
            """
    }

    /// The labels as Loki prints them, cut off at 1 KiB.
    private static func text(_ labels: StreamLabels) -> String {
        let text = labels.labels.map { StreamLabels([$0]).text.dropFirst().dropLast() }.joined(separator: ", ")
        return String("{\(text)}".prefix(1_024))
    }
}
