import Telemetry

/// Why a line is refused, with what the text needs. The texts are Loki's where it has one.
enum LineRefusal: Error {
    case lineTooLong(Int, Int64, StreamLabels)
    case tooManyLabels(StreamLabels, Int64)
    case labelNameTooLong(StreamLabels, String)
    case labelValueTooLong(StreamLabels, String)
    case streams(StreamLabels)
    case tooMuchMetadata(StreamLabels, Int, Int64)
    case metadataTooLarge(StreamLabels, Int, Int64)
    case time(Int64)

    var reason: String {
        func text(_ labels: StreamLabels) -> String { String(labels.text.prefix(1_024)) }
        switch self {
        case .lineTooLong(let count, let limit, let labels):
            return """
                Max entry size '\(limit)' bytes exceeded for stream '\(text(labels))' while adding an entry with \
                length '\(count)' bytes
                """
        case .tooManyLabels(let labels, let limit):
            return "entry for stream '\(text(labels))' has \(labels.labels.count) label names; limit \(limit)"
        case .labelNameTooLong(let labels, let name):
            return "stream '\(text(labels))' has label name too long: '\(name.prefix(1_024))'"
        case .labelValueTooLong(let labels, let value):
            return "stream '\(text(labels))' has label value too long: '\(value.prefix(1_024))'"
        case .streams(let labels):
            return """
                Maximum active stream limit exceeded when trying to create stream \(text(labels)), reduce the number \
                of active streams (reduce labels or reduce label values)
                """
        case .tooMuchMetadata(let labels, let count, let limit):
            return "stream '\(text(labels))' has too many structured metadata labels: '\(count)', limit: '\(limit)'"
        case .metadataTooLarge(let labels, let count, let limit):
            return """
                stream '\(text(labels))' has structured metadata too large: '\(count)' bytes, limit: '\(limit)' bytes
                """
        case .time(let milliseconds):
            return "timestamp \(milliseconds) ms is beyond what nanoseconds in 64 bits can tell"
        }
    }
}
