import Bytes
import Decode
import KafkaWire
import Search
import Telemetry
import Testing

@testable import Ingest

/// A push out of streams, each with its lines: time, line, metadata.
func makePush(_ streams: [(String, [(Int64, String, [String: String])])]) throws -> LinePush {
    var push = LinePush()
    func add(_ text: String) -> Range<Int> {
        push.bytes += Array(text.utf8)
        return (push.bytes.count - text.utf8.count)..<push.bytes.count
    }
    for (labels, lines) in streams {
        var entries: [LinePush.Entry] = []
        for (time, line, metadata) in lines {
            let first = push.fields.count
            for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
                push.fields.append(LinePush.Field(name: add(name), value: add(value)))
            }
            entries.append(LinePush.Entry(time: time, line: add(line), metadata: first..<push.fields.count))
        }
        push.streams.append(LinePush.Stream(labels: try StreamLabels(text: labels), entries: entries))
    }
    return push
}

@Suite struct LogsComposerTests {
    private func records(
        _ push: LinePush, limits: SearchLimits = SearchLimits(), batchBytes: Int = 1 << 20
    ) throws -> [[String]] {
        let admission = LogsAdmission(push, limits: limits)
        let capacity = LogsComposer.capacity(for: admission.streams, of: push, batchBytes: batchBytes)
        var composer = LogsComposer(batchBytes: batchBytes, capacity: capacity)
        for stream in admission.streams { composer.add(stream, of: push) }
        var batches = composer.finish()
        return try batches.withUnsafeMutableBytes { bytes in
            #expect(bytes.count <= capacity)
            var found: [[String]] = []
            var reader = RecordBatches(UnsafeRawBufferPointer(bytes))
            while let batch = try reader.next() {
                try batch.validateChecksum()
                var iterator = try RecordIterator(batch, decompressionLimit: 1 << 20)
                var records: [String] = []
                while let record = try iterator.next() {
                    let headers = record.headers.map { " \($0.key)=\(String(decoding: $0.value ?? [], as: UTF8.self))" }
                    let key = String(decoding: record.key ?? .init(start: nil, count: 0), as: UTF8.self)
                    let value = String(decoding: record.value ?? .init(start: nil, count: 0), as: UTF8.self)
                    records.append("\(key) \(record.timestamp) \(value)\(headers.joined())")
                }
                found.append(records)
            }
            return found
        }
    }

    @Test func linesBecomeRecords() throws {
        let found = try records(
            makePush([
                ("{b=\"2\", a=\"1\"}", [(1_000_001, "one", [:]), (2_000_000, "two", [:]), (999_999, "", ["t": "x"])]),
                ("{c=\"é\\\"\"}", [(-1, "before", [:]), (5_000_000, "ns", ["ns": "7", "a": ""]), (.min, "min", [:])]),
            ]))
        #expect(
            found == [
                [
                    #"{a="1",b="2"} 1 one ns=1"#, #"{a="1",b="2"} 2 two"#, #"{a="1",b="2"} 0  ns=999999 t=x"#,
                    #"{c="é\""} -1 before ns=999999"#, #"{c="é\""} 5 ns ns=0 a= ns=7"#,
                    #"{c="é\""} -9223372036855 min ns=224192"#,
                ]
            ])
    }

    @Test func batchesStayBelowTheirBound() throws {
        let line = String(repeating: "x", count: 300)
        let found = try records(
            makePush([("{a=\"b\"}", (0..<20).map { (Int64($0), line, [:]) })]), batchBytes: 1_000)
        #expect(found.map(\.count) == Array(repeating: 2, count: 10))
        // A line that is larger than a batch stands alone.
        let large = String(repeating: "x", count: 3_000)
        let mixed = try records(
            makePush([("{a=\"b\"}", [(0, "a", [:]), (0, large, [:]), (0, "b", [:])])]), batchBytes: 1_000)
        #expect(mixed.map(\.count) == [1, 1, 1])
    }

    @Test func timesAreSplitDownwards() {
        for time in [0, 1, 999_999, 1_000_000, -1, -1_000_000, -1_000_001, .max, .min] as [Int64] {
            let (milliseconds, nanoseconds) = LogsComposer.split(time)
            #expect((0..<1_000_000).contains(nanoseconds))
            #expect(milliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue &+ nanoseconds == time)
        }
    }

    @Test func whatIsBeyondTheBoundsIsRefusedInLokisWords() throws {
        var limits = SearchLimits()
        limits.lineBytes = 10
        limits.metadataEntries = 2
        limits.metadataBytes = 12
        limits.labels = 2
        limits.labelNameBytes = 5
        limits.labelValueBytes = 5
        let long = String(repeating: "x", count: 11)
        let admission = LogsAdmission(
            try makePush([
                (
                    "{a=\"b\", c=\"d\"}",
                    [
                        (1, "good", ["a": "b"]), (1, long, [:]), (1, long, [:]),
                        (1, "m", ["a": "1", "b": "2", "c": "3"]),
                        (1, "m", ["a": long, "b": "x"]),
                    ]
                ),
                ("{}", [(1, "a", [:]), (2, "b", [:])]), ("{a=\"1\",b=\"2\",c=\"3\"}", [(1, "a", [:])]),
                ("{toolong=\"1\"}", [(1, "a", [:])]), ("{a=\"toolong\"}", [(1, "a", [:])]),
            ]), limits: limits)
        #expect(admission.lineCount == 1)
        #expect(admission.refusal.refused == 9)
        let expected = """
            2 errors like: Max entry size '10' bytes exceeded for stream '{a="b", c="d"}' while adding an entry with \
            length '11' bytes; 1 errors like: stream '{a="b", c="d"}' has too many structured metadata labels: '3', \
            limit: '2'; 1 errors like: stream '{a="b", c="d"}' has structured metadata too large: '14' bytes, limit: \
            '12' bytes; 2 errors like: error at least one label pair is required per stream; 1 errors like: entry for \
            stream '{a="1", b="2", c="3"}' has 3 label names; limit 2; 1 errors like: stream '{toolong="1"}' has label \
            name too long: 'toolong'; 1 errors like: stream '{a="toolong"}' has label value too long: 'toolong'
            """
        #expect(admission.refusal.text == expected)
        var odd = LinePush()
        odd.streams = [.init(labels: StreamLabels([.init("a-b", "x")]), entries: [])]
        #expect(LogsAdmission(odd, limits: limits).refusal.text.contains("invalid label name 'a-b'"))
    }

    @Test func reasonsAreToldUpToABound() throws {
        var limits = SearchLimits()
        limits.lineBytes = 1
        let lines = (2..<100).map { (Int64(0), String(repeating: "x", count: $0), [String: String]()) }
        let refusal = LogsAdmission(try makePush([("{a=\"b\"}", lines)]), limits: limits).refusal
        #expect(refusal.reasons.count == PushRefusal.maximumReasons && refusal.refused == 98)
        #expect(refusal.text.hasSuffix("; 78 other errors"))
    }
}
