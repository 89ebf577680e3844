import FoundationEssentials
import KafkaClient

/// Cuts chunks of bytes into lines. A line that is longer than the limit is an error: it would never become a record.
struct LineSplitter {
    /// More than any broker takes by default.
    static let maximumLineBytes = 128 << 20
    private var started: [UInt8] = []

    /// The lines that end in `chunk`, without their ends (`\n`; a `\r` before it stays, for it may be content).
    mutating func split(_ chunk: [UInt8]) throws -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if started.isEmpty {
                lines.append(chunk[start..<end])
            } else {
                started += chunk[start..<end]
                lines.append(started[...])
                started = []
            }
            start = end + 1
        }
        started += chunk[start...]
        guard started.count <= Self.maximumLineBytes else {
            throw CommandFailure(
                message: "a line of more than \(Self.maximumLineBytes >> 20) MiB",
                advice: "is this a file of lines? --whole-files makes each file one record")
        }
        return lines
    }

    /// What stands behind the last line end; nil if nothing does.
    var rest: ArraySlice<UInt8>? { started.isEmpty ? nil : started[...] }
}

/// Makes records from lines.
struct LineParser {
    let keySeparator: [UInt8]?
    let key: [UInt8]?
    let headers: [Record.Header]
    let partition: Int32?
    let isJSON: Bool

    func record(ofWholeFile content: [UInt8]) -> Record {
        Record(key: key, value: content, headers: headers, partition: partition)
    }

    func record(ofLine line: ArraySlice<UInt8>) throws -> Record {
        if isJSON { return try record(ofJSON: line) }
        guard let keySeparator, let place = Self.find(keySeparator, in: line) else {
            return Record(key: key, value: Array(line), headers: headers, partition: partition)
        }
        return Record(
            key: Array(line[..<place]), value: Array(line[(place + keySeparator.count)...]), headers: headers,
            partition: partition)
    }

    /// Where `text` begins in `line`.
    private static func find(_ text: [UInt8], in line: ArraySlice<UInt8>) -> Int? {
        guard line.count >= text.count else { return nil }
        return (line.startIndex...line.endIndex - text.count).first { line[$0..<$0 + text.count].elementsEqual(text) }
    }

    private func record(ofJSON line: ArraySlice<UInt8>) throws -> Record {
        do {
            let parsed = try JSONDecoder().decode(JSONRecord.self, from: Data(line))
            let own = try (parsed.headers ?? []).map {
                Record.Header($0.name, try JSONRecord.bytes($0.value, $0.valueBase64))
            }
            return Record(
                key: try JSONRecord.bytes(parsed.key, parsed.keyBase64),
                value: try JSONRecord.bytes(parsed.value, parsed.valueBase64),
                headers: headers + own, timestampMilliseconds: parsed.timestamp,
                partition: partition ?? parsed.partition)
        } catch {
            let shown = String(decoding: line.prefix(80), as: UTF8.self)
            throw CommandFailure(
                message: "not a record in JSON: \(shown)",
                advice: #"expected {"key":…,"value":…,"headers":[{"name":…,"value":…}],"partition":…,"timestamp":…}"#)
        }
    }
}

/// A record as `consume --json` prints it. Where bytes are not text, `…_base64` holds them.
private struct JSONRecord: Decodable {
    struct Header: Decodable {
        let name: String
        let value: String?
        let valueBase64: String?

        enum CodingKeys: String, CodingKey {
            case name, value
            case valueBase64 = "value_base64"
        }
    }

    let key: String?
    let keyBase64: String?
    let value: String?
    let valueBase64: String?
    let headers: [Header]?
    let partition: Int32?
    let timestamp: Int64?

    enum CodingKeys: String, CodingKey {
        case key, value, headers, partition, timestamp
        case keyBase64 = "key_base64"
        case valueBase64 = "value_base64"
    }

    struct NotBase64: Error {}

    static func bytes(_ text: String?, _ base64: String?) throws -> [UInt8]? {
        guard let base64 else { return text.map { Array($0.utf8) } }
        guard let bytes = Base64.decode(base64) else { throw NotBase64() }
        return bytes
    }
}
