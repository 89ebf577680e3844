import FoundationEssentials
import Telemetry

/// What `/loki/api/v1/query_range` and `/query` answer, as far as the command shows it.
struct LokiAnswer: Decodable {
    /// A line with its stream.
    struct Line: Hashable {
        /// The labels of its stream.
        var stream: [String: String]
        /// These, the line's structured metadata and what the query extracted.
        var labels: [String: String]
        /// Nanoseconds since 1970.
        var time: Int64
        /// The line.
        var text: String
    }

    /// A sample of a metric query.
    struct Sample: Equatable {
        var labels: [String: String]
        /// Seconds since 1970.
        var seconds: Double
        var value: String
    }

    /// The lines of a log query, not sorted.
    private(set) var lines: [Line] = []
    /// The samples of a metric query.
    private(set) var samples: [Sample] = []

    private enum Key: String, CodingKey {
        case data, resultType, result, stream, values, metric, value, structuredMetadata, parsed
    }

    init(from decoder: any Decoder) throws {
        let data = try decoder.container(keyedBy: Key.self).nestedContainer(keyedBy: Key.self, forKey: .data)
        let type = try data.decode(String.self, forKey: .resultType)
        if type == "scalar" {
            var pair = try data.nestedUnkeyedContainer(forKey: .result)
            let seconds = try pair.decode(Double.self)
            samples.append(Sample(labels: [:], seconds: seconds, value: try pair.decode(String.self)))
            return
        }
        var result = try data.nestedUnkeyedContainer(forKey: .result)
        while !result.isAtEnd {
            let entry = try result.nestedContainer(keyedBy: Key.self)
            if type == "streams" { try readStream(entry) } else { try readSeries(entry) }
        }
    }

    private mutating func readStream(_ entry: KeyedDecodingContainer<Key>) throws {
        let labels = try entry.decode([String: String].self, forKey: .stream)
        var values = try entry.nestedUnkeyedContainer(forKey: .values)
        while !values.isAtEnd {
            var pair = try values.nestedUnkeyedContainer()
            let (time, text) = (try pair.decode(String.self), try pair.decode(String.self))
            var all = labels
            if !pair.isAtEnd {
                let more = try pair.nestedContainer(keyedBy: Key.self)
                for key in [Key.structuredMetadata, .parsed] where more.contains(key) {
                    all.merge(try more.decode([String: String].self, forKey: key)) { _, new in new }
                }
            }
            lines.append(Line(stream: labels, labels: all, time: Int64(time) ?? 0, text: text))
        }
    }

    private mutating func readSeries(_ entry: KeyedDecodingContainer<Key>) throws {
        let labels = try entry.decode([String: String].self, forKey: .metric)
        if entry.contains(.value) {
            var pair = try entry.nestedUnkeyedContainer(forKey: .value)
            let seconds = try pair.decode(Double.self)
            samples.append(Sample(labels: labels, seconds: seconds, value: try pair.decode(String.self)))
            return
        }
        var values = try entry.nestedUnkeyedContainer(forKey: .values)
        while !values.isAtEnd {
            var pair = try values.nestedUnkeyedContainer()
            let seconds = try pair.decode(Double.self)
            samples.append(Sample(labels: labels, seconds: seconds, value: try pair.decode(String.self)))
        }
    }

    /// Reads an answer.
    ///
    /// - Throws: `CommandFailure` if it is none.
    static func read(_ body: [UInt8]) throws -> LokiAnswer {
        do {
            return try JSONDecoder().decode(LokiAnswer.self, from: Data(body))
        } catch {
            throw CommandFailure(message: "the server's answer is not what Loki's API gives: \(error)", advice: nil)
        }
    }
}
