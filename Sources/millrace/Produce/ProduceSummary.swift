import KafkaClient

/// What `produce` has done.
struct ProduceSummary {
    /// The offsets written to a partition.
    struct Written {
        var records = 0
        var first: Int64?
        var last: Int64?
    }

    var records = 0
    var failed = 0
    /// Keys and values that were read, in bytes.
    var bytes = 0
    var seconds = 0.0
    var partitions: [Int32: Written] = [:]
    var failure: KafkaClientError?

    mutating func add(_ outcome: Result<RecordMetadata, KafkaClientError>) {
        switch outcome {
        case .success(let metadata):
            records += 1
            var written = partitions[metadata.partition] ?? Written()
            written.records += 1
            if let offset = metadata.offset {
                written.first = min(written.first ?? .max, offset)
                written.last = max(written.last ?? .min, offset)
            }
            partitions[metadata.partition] = written
        case .failure(let error):
            failed += 1
            if failure == nil { failure = error }
        }
    }

    /// Prints the summary and throws if anything failed, or was interrupted.
    func print(json: Bool, quiet: Bool) throws {
        if json {
            let output = Output()
            try output.write(self.json)
            try output.flush()
        } else if !quiet, StandardError.isTerminal || failed > 0 {
            StandardError.write(text)
        }
        if let failure {
            throw CommandFailure(message: "\(failed) of \(failed + records) records were not written: \(failure)")
        }
        if Interruption.happened {
            throw CommandFailure(
                message: "interrupted: the \(records) records that were read are written",
                status: ExitStatus.interrupted)
        }
    }

    var text: String {
        let rate = seconds > 0 ? Double(records) / seconds : 0
        let amount = "\(records) record\(records == 1 ? "" : "s"), \(Amount.bytes(Double(bytes)))"
        return "wrote \(amount) in \(Amount.seconds(seconds)) (\(Amount.count(rate)) records/s)\n"
    }

    var json: String {
        var json = JSONText()
        json.object { json in
            json.member("records", Int64(records))
            json.member("failed", Int64(failed))
            json.member("bytes", Int64(bytes))
            json.key("seconds")
            json.value(seconds)
            json.member("error", failure.map { "\($0)" })
            json.key("partitions")
            json.array { json in
                for (partition, written) in partitions.sorted(by: { $0.key < $1.key }) {
                    json.object { json in
                        json.member("partition", Int64(partition))
                        json.member("records", Int64(written.records))
                        json.member("first", written.first)
                        json.member("last", written.last)
                    }
                }
            }
        }
        json.newline()
        return json.text
    }
}
