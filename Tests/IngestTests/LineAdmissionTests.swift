import KafkaWire
import Testing

@testable import Ingest
@testable import Telemetry

@Suite struct LineAdmissionTests {
    private func admit(
        _ text: String, record: Int = 64, line: Int = 200, explained: Int = 3, partitions: Int = 1
    ) -> LineAdmission {
        Array(text.utf8).withUnsafeBytes {
            LineAdmission(
                $0, precision: .nanoseconds,
                bounds: .init(recordBytes: record, lineBytes: line, explainedLines: explained, partitions: partitions))
        }
    }

    private func records(_ admission: LineAdmission, _ text: String, stream: Int = 0) -> [String] {
        Array(text.utf8).withUnsafeBytes { request in
            admission.streams[stream].withBytes(of: request) { bytes in
                admission.streams[stream].records.map { String(decoding: bytes[$0], as: UTF8.self) }
            }
        }
    }

    @Test func goodLinesStayAsTheyAre() {
        let text = "# note\ncpu v=1 5\n\n mem,b=1,a=2 v=2i 6"
        let admission = admit(text)
        #expect(admission.isWhole && admission.pointCount == 2 && !admission.needsTime)
        #expect(records(admission, text) == [text])
    }

    @Test func badLinesAreLeftOutAndExplained() {
        let text = "cpu v=1 5\nbad\ncpu v=2 6\ncpu,time=1 v=1\nworse,\ncpu v=3"
        let admission = admit(text)
        #expect(admission.pointCount == 3 && admission.needsTime)
        #expect(records(admission, text) == ["cpu v=1 5\ncpu v=2 6\ncpu v=3"])
        #expect(admission.refusal.unreadable == 2 && admission.refusal.dropped == 1)
        #expect(admission.refusal.lines.map(\.number) == [2, 4, 5])
        #expect(admission.refusal.lines.map(\.text) == ["bad", "cpu,time=1 v=1", "worse,"])
        #expect(
            admission.refusal.text == """
                partial write: unable to parse 'bad': missing fields
                invalid tag key: input tag "time" on measurement "cpu" is invalid
                unable to parse 'worse,': missing tag key dropped=1
                """)
    }

    @Test func manyBadLinesAreCounted() {
        let admission = admit("a\nb\nc\nd\ne\n")
        #expect(admission.refusal.unreadable == 5 && admission.refusal.lines.count == 3)
        #expect(admission.refusal.text.hasSuffix("unable to parse 'c': missing fields\n… and 2 more lines"))
    }

    @Test func recordsEndAtLineEnds() {
        let text = (0..<20).map { "cpu value=\($0) \($0)\n" }.joined()
        let admission = admit(text)
        let found = records(admission, text)
        #expect(found.joined() == text)
        #expect(found.count > 4 && found.allSatisfy { $0.utf8.count <= 64 && $0.hasSuffix("\n") })
    }

    @Test func aLineThatIsLongerThanARecordGetsItsOwn() {
        let long = "cpu v=\"\(String(repeating: "x", count: 100))\" 1\n"
        let text = "cpu v=1 1\n\(long)cpu v=1 2\n"
        #expect(records(admit(text), text) == ["cpu v=1 1\n", long, "cpu v=1 2\n"])
    }

    @Test func aLineThatFitsIntoNoBatchIsDropped() {
        let text = "cpu v=1 1\ncpu v=\"\(String(repeating: "x", count: 300))\" 1\ncpu v=1 2\n"
        let admission = admit(text)
        #expect(admission.pointCount == 2 && admission.refusal.dropped == 1)
        #expect(admission.refusal.lines.first?.reason == "line is too long, 310 > 199")
        #expect(records(admission, text) == ["cpu v=1 1\ncpu v=1 2\n"])
        let commented = "# \(String(repeating: "x", count: 300))\ncpu v=1 1\n"
        #expect(records(admit(commented), commented) == ["cpu v=1 1\n"])
    }

    @Test func everyWayToWriteASeriesGoesToOnePartition() {
        let text = "cpu,a=1,b=2 v=1 1\ncpu,b=2,a=1 v=2 2\n" + (0..<50).map { "cpu,h=\($0) v=1 \($0)\n" }.joined()
        let admission = admit(text, partitions: 4)
        let streams = (0..<4).map { records(admission, text, stream: $0).joined() }
        #expect(streams.filter { $0.contains("a=1,b=2") }.allSatisfy { $0.contains("b=2,a=1") })
        #expect(streams.allSatisfy { !$0.isEmpty })
        #expect(streams.map(\.utf8.count).reduce(0, +) == text.utf8.count)
        // Never to change: points of a series would be in two partitions.
        #expect(streams.firstIndex { $0.contains("cpu,a=1,b=2") } == 1)
    }

    @Test func batchesHoldTheLinesAndTheirHeaders() throws {
        let text = (0..<200).map { "cpu value=\($0)\n" }.joined()
        let admission = admit(text, record: 256)
        let request = WriteRequest(database: Array("db".utf8), retentionPolicy: Array("rp".utf8), precision: .seconds)
        let headers = BatchComposer.headers(for: request, timeNanoseconds: 1_234_567_890_123_456_789)
        #expect(headers.map(\.key) == ["rp", "precision", "time"])
        #expect(
            headers.map { String(decoding: $0.value ?? [], as: UTF8.self) } == ["rp", "s", "1234567890000000000"])
        var composed = RecordBatchSequence(capacity: 0)
        Array(text.utf8).withUnsafeBytes { bytes in
            composed = BatchComposer.compose(
                admission.streams[0], of: bytes, headers: headers, timeMilliseconds: 7, batchBytes: 1_000)
        }
        var (found, batchCount) = ("", 0)
        try composed.withUnsafeMutableBytes { bytes in
            var batches = RecordBatches(UnsafeRawBufferPointer(bytes))
            while let batch = try batches.next() {
                batchCount += 1
                #expect(batch.header.sizeBytes <= 1_000)
                var records = try RecordIterator(batch, decompressionLimit: 1 << 20)
                while let record = try records.next() {
                    found += String(
                        decoding: record.value ?? UnsafeRawBufferPointer(start: nil, count: 0), as: UTF8.self)
                    #expect(record.headers.map(\.key) == ["rp", "precision", "time"])
                }
            }
        }
        #expect(found == text && batchCount > 3)
    }

    @Test func unitsAreGuessed() {
        let guesses: [(String, TimePrecision)] = [
            ("cpu v=1 1700000000", .seconds), ("cpu v=1 1700000000000", .milliseconds),
            ("cpu v=1 1700000000000000", .microseconds), ("cpu v=1 1700000000000000000", .nanoseconds),
            ("bad\ncpu v=1\ncpu v=1 5", .seconds), ("cpu v=1", .nanoseconds), ("", .nanoseconds),
        ]
        for (lines, precision) in guesses {
            #expect(Array(lines.utf8).withUnsafeBytes { PrecisionGuess.precision(of: $0) } == precision, "\(lines)")
        }
    }

    @Test func theBudgetIsHeld() {
        let budget = WriteBudget(limit: 100, databaseLimit: 60)
        #expect(budget.take(60, for: [1]))
        #expect(!budget.take(1, for: [1]))
        #expect(budget.take(40, for: [2]))
        #expect(!budget.take(1, for: [3]))
        budget.giveBack(60, for: [1])
        #expect(budget.take(60, for: [3]) && budget.total == 100)
        budget.giveBack(60, for: [3])
        budget.giveBack(40, for: [2])
        #expect(budget.total == 0)
        // One alone always finds room: what it may have is bounded elsewhere.
        #expect(budget.take(1_000, for: [1]) && !budget.take(1, for: [2]))
    }
}
