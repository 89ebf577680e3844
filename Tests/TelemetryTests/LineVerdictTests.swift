import FoundationEssentials
import Testing

@testable import Telemetry

/// Lines that were sent to InfluxDB 1.6.7, what it answered, and what it then had: `Verdicts/influxdb-1.6.7.tsv` has a
/// body per line; behind a tab `ok` or the status and the error; behind further tabs the points that were read back,
/// with their time if the body gave one.
@Suite struct LineVerdictTests {
    struct Verdict {
        let body: [UInt8]
        let error: String?
        let points: [String]
    }

    static func all() throws -> [Verdict] {
        let directory = #filePath.prefix(through: #filePath.lastIndex(of: "/") ?? #filePath.startIndex)
        let text = try String(contentsOfFile: directory + "Verdicts/influxdb-1.6.7.tsv", encoding: .utf8)
        return text.split(separator: "\n").map { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map { unescaped(String($0)) }
            let answer = String(decoding: parts[1], as: UTF8.self)
            return Verdict(
                body: parts[0], error: answer == "ok" ? nil : String(answer.dropFirst(4)),
                points: parts.dropFirst(2).map { String(decoding: $0, as: UTF8.self) })
        }
    }

    private static func unescaped(_ text: String) -> [UInt8] {
        var (result, rest) = ([UInt8](), Array(text.utf8)[...])
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch next {
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "x"):
                result.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            default: result.append(next)
            }
        }
        return result
    }

    @Test func everyLineIsReadAsInfluxDBReadsIt() throws {
        let verdicts = try Self.all()
        #expect(verdicts.count > 1_500)
        for verdict in verdicts {
            let body = String(decoding: verdict.body, as: UTF8.self)
            let reading = LineReading(verdict.body)
            #expect(reading.error == verdict.error, "\(body.debugDescription)")
            // Of points with the same series and time InfluxDB has one.
            let names = Set(reading.points.map { $0.split(separator: " ").first })
            if names.count == reading.points.count {
                #expect(reading.points == verdict.points.sorted(), "\(body.debugDescription)")
            }
        }
    }
}
