internal import Telemetry

/// Writes Loki's answers.
struct LogQLResultWriter {
    private(set) var bytes: [UInt8] = []

    private mutating func write(_ text: StaticString) { text.withUTF8Buffer { bytes.append(contentsOf: $0) } }
    private mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Lines by their labels.
    ///
    /// - Parameter categorizes: whether each line tells its metadata and its parsed labels apart from the stream's.
    mutating func streams(_ rows: [LogRow], categorizes: Bool, _ statistics: LogQLStatistics) {
        begin("streams", categorizes: categorizes)
        streams(rows, categorizes: categorizes)
        end(statistics)
    }

    /// The array of streams, in the order of their labels' texts.
    mutating func streams(_ rows: [LogRow], categorizes: Bool) {
        var groups: [StreamLabels: [Int]] = [:]
        for (index, row) in rows.enumerated() {
            groups[categorizes ? row.labels.stream : row.labels.all, default: []].append(index)
        }
        let ordered = groups.map { (text: $0.key.goText, labels: $0.key, rows: $0.value) }.sorted {
            $0.text.utf8.lexicographicallyPrecedes($1.text.utf8)
        }
        write("[")
        for (place, group) in ordered.enumerated() {
            write(place == 0 ? "{\"stream\":" : ",{\"stream\":")
            object(group.labels)
            write(",\"values\":[")
            for (index, row) in group.rows.enumerated() {
                if index > 0 { write(",") }
                value(rows[row], categorizes)
            }
            write("]}")
        }
        write("]")
    }

    private mutating func value(_ row: LogRow, _ categorizes: Bool) {
        write("[\"")
        IntegerText.append(row.time, to: &bytes)
        write("\",")
        JSONText.append(row.line, to: &bytes)
        if categorizes {
            write(",{")
            if !row.labels.metadata.labels.isEmpty {
                write("\"structuredMetadata\":")
                object(row.labels.metadata)
            }
            if !row.labels.parsed.labels.isEmpty {
                if !row.labels.metadata.labels.isEmpty { write(",") }
                write("\"parsed\":")
                object(row.labels.parsed)
            }
            write("}")
        }
        write("]")
    }

    /// Numbers over time.
    mutating func matrix(_ matrix: SeriesMatrix, _ steps: QuerySteps, _ statistics: LogQLStatistics) {
        begin("matrix")
        write("[")
        for (index, series) in matrix.series.enumerated() {
            write(index == 0 ? "{\"metric\":" : ",{\"metric\":")
            object(series.labels)
            write(",\"values\":[")
            var isFirst = true
            for step in 0..<steps.count where !series.values[step].isAbsent {
                if !isFirst { write(",") }
                isFirst = false
                sample(steps.time(step), series.values[step])
            }
            write("]}")
        }
        write("]")
        end(statistics)
    }

    /// Numbers of one moment.
    mutating func vector(_ matrix: SeriesMatrix, _ steps: QuerySteps, _ statistics: LogQLStatistics) {
        begin("vector")
        write("[")
        for (index, series) in matrix.series.enumerated() {
            write(index == 0 ? "{\"metric\":" : ",{\"metric\":")
            object(series.labels)
            write(",\"value\":")
            sample(steps.start, series.values[0])
            write("}")
        }
        write("]")
        end(statistics)
    }

    /// One number.
    mutating func scalar(_ number: Double, at time: Int64, _ statistics: LogQLStatistics) {
        begin("scalar")
        sample(time, number)
        end(statistics)
    }

    private mutating func sample(_ time: Int64, _ number: Double) {
        write("[")
        // Milliseconds, as Loki has them.
        write(NumberText.plain(Double(time / 1_000_000) / 1_000))
        write(",\"")
        write(GoNumber.plain(number))
        write("\"]")
    }

    private mutating func object(_ labels: StreamLabels) {
        write("{")
        for (index, label) in labels.labels.enumerated() {
            if index > 0 { write(",") }
            JSONText.append(label.name, to: &bytes)
            write(":")
            JSONText.append(label.value, to: &bytes)
        }
        write("}")
    }

    private mutating func begin(_ kind: StaticString, categorizes: Bool = false) {
        write("{\"status\":\"success\",\"data\":{\"resultType\":\"")
        write(kind)
        write("\"")
        if categorizes { write(",\"encodingFlags\":[\"categorize-labels\"]") }
        write(",\"result\":")
    }

    private mutating func end(_ statistics: LogQLStatistics) {
        write(",\"stats\":")
        write(statistics.json)
        write("}}")
    }
}

/// What an answer tells of its cost, in Loki's words.
struct LogQLStatistics: Sendable {
    var seconds = 0.0
    var bytes = 0
    var lines = 0
    var entries = 0

    var json: String {
        let perSecond = { (count: Int) in seconds > 0 ? Int((Double(count) / seconds).rounded()) : 0 }
        return "{\"summary\":{\"bytesProcessedPerSecond\":\(perSecond(bytes)),"
            + "\"linesProcessedPerSecond\":\(perSecond(lines)),\"totalBytesProcessed\":\(bytes),"
            + "\"totalLinesProcessed\":\(lines),\"execTime\":\(NumberText.float(seconds)),\"queueTime\":0,"
            + "\"subqueries\":0,\"totalEntriesReturned\":\(entries),\"splits\":0,\"shards\":0,"
            + "\"totalPostFilterLines\":0,\"totalStructuredMetadataBytesProcessed\":0},"
            + "\"querier\":{},\"ingester\":{},\"cache\":{}}"
    }
}
