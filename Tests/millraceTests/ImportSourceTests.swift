import Telemetry
import Testing

@testable import millrace

@Suite struct ImportSourceTests {
    /// Feeds a file in parts of `step` bytes.
    private func read(
        _ text: String, step: Int, points: Int = 100
    ) -> (portions: [ImportSource.Portion], bad: [ImportSource.BadLine]) {
        var source = ImportSource(precision: .nanoseconds, maximumPoints: points)
        var (portions, bad, rest) = ([ImportSource.Portion](), [ImportSource.BadLine](), Array(text.utf8)[...])
        while !rest.isEmpty {
            portions += source.feed(Array(rest.prefix(step)))
            bad += source.takeBadLines()
            rest = rest.dropFirst(step)
        }
        portions += source.feed([], isLast: true)
        return (portions, bad + source.takeBadLines())
    }

    private func lines(_ portions: [ImportSource.Portion]) -> [ImportSource.Lines] {
        portions.compactMap { portion in
            if case .lines(let lines) = portion { lines } else { nil }
        }
    }

    @Test(arguments: [3, 64, 10_000]) func anExportSaysWhereItsPointsGo(step: Int) {
        let text = """
            # INFLUXDB EXPORT: 1677-09-21T00:12:43Z - 2262-04-11T23:47:16Z
            # DDL
            CREATE DATABASE a WITH NAME autogen
            CREATE DATABASE b WITH NAME week
            # DML
            # CONTEXT-DATABASE:a
            # CONTEXT-RETENTION-POLICY:autogen
            # writing tsm data
            cpu v=1 1
            cpu v=2 2
            # CONTEXT-DATABASE: b
            # CONTEXT-RETENTION-POLICY: week

            mem s="x
            y" 3
            mem v=4 4
            """
        let (portions, bad) = read(text, step: max(step, 20))
        #expect(bad.isEmpty)
        #expect(
            portions.prefix(2) == [
                .statement("CREATE DATABASE a WITH NAME autogen", line: 3),
                .statement("CREATE DATABASE b WITH NAME week", line: 4),
            ])
        let found = lines(portions)
        #expect(found.map(\.database) == ["a", "b"] && found.map(\.retentionPolicy) == ["autogen", "week"])
        #expect(
            found.map { String(decoding: $0.bytes, as: UTF8.self) } == [
                "cpu v=1 1\ncpu v=2 2\n", "mem s=\"x\ny\" 3\nmem v=4 4\n",
            ])
        #expect(found.map(\.points) == [2, 2] && found.map(\.numbers) == [9...10, 14...16])
    }

    @Test(arguments: [1, 7, 1_000]) func badLinesAreToldByNumber(step: Int) {
        let (portions, bad) = read("cpu v=1 1\nbad\n\n# note\ncpu v=2 2\nworse,\ncpu v=3", step: step)
        #expect(bad.map(\.number) == [2, 6])
        #expect(bad.first?.reason == "unable to parse 'bad': missing fields")
        #expect(
            lines(portions).map { String(decoding: $0.bytes, as: UTF8.self) }.joined()
                == "cpu v=1 1\ncpu v=2 2\ncpu v=3\n")
    }

    @Test func portionsAreBounded() {
        let text = (0..<25).map { "cpu v=\($0) \($0)\n" }.joined()
        let found = lines(read(text, step: 50, points: 10).portions)
        #expect(found.map(\.points) == [10, 10, 5])
        #expect(found.map(\.numbers) == [1...10, 11...20, 21...25])
        #expect(found.allSatisfy { $0.database == nil })
    }
}
