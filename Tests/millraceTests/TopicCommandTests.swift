import Testing

/// Topics are changed while a server serves them.
@Suite(.serialized) struct TopicCommandTests {
    @Test func configsAndPartitionsAreChanged() async throws {
        try await BrokerProcess.run { server in
            _ = try await server.millrace("topic", "create", "t", "--config", "retention.ms=1000")
            let plain = try await server.millrace("topic", "describe", "t")
            #expect(words(plain.output).suffix(6) == ["CONFIG", "VALUE", "FROM", "retention.ms", "1000", "topic"])
            let all = try await server.millrace("topic", "describe", "t", "--all-configs")
            #expect(all.output.contains("\nsegment.ms"))

            func change(_ more: String...) async throws -> RunningBinary.Outcome {
                try await RunningBinary.run(
                    ["topic", "alter", "t", "-c", "segment.ms=5", "--delete-config", "retention.ms", "-p", "3"] + more,
                    environment: ["MILLRACE_BOOTSTRAP": server.address])
            }
            let checked = try await change("--dry-run")
            #expect(checked.output == "t can be changed so\n")
            #expect(try await server.millrace("topic", "describe", "t").output == plain.output)
            let changed = try await change()
            #expect(changed.status == 0 && changed.output == "changed t\n")
            let after = try await server.millrace("topic", "describe", "t")
            #expect(after.output.contains("partitions 3"))
            #expect(words(after.output).suffix(3) == ["segment.ms", "5", "topic"])

            let wrong = try await server.millrace("topic", "alter", "t", "-c", "no.such=1", "-p", "4")
            #expect(wrong.status == 1)
            #expect(wrong.errors.contains("INVALID_CONFIG (unknown config no.such)"))
            let fewer = try await server.millrace("topic", "alter", "t", "-c", "segment.ms=6", "-p", "2")
            #expect(fewer.status == 1 && fewer.errors.contains("INVALID_PARTITIONS"))
            #expect(try await server.millrace("topic", "describe", "t").output == after.output, "all or nothing")
            #expect(try await server.millrace("topic", "alter", "gone", "-p", "2").status == 1)
        }
    }

    @Test func recordsAreDeleted() async throws {
        try await BrokerProcess.run { server in
            _ = try await server.millrace("topic", "create", "t", "-p", "2")
            _ = try await server.millrace("produce", "t", "-p", "1", "-q", input: "0\n1\n2\n3\n")
            let deleted = try await server.millrace("topic", "delete-records", "t", "-p", "1", "--before", "2")
            #expect(deleted.status == 0 && deleted.output == "t-1 begins at offset 2\n")
            #expect(try await server.millrace("consume", "t").output == "2\n3\n")
            let last = try await server.millrace("topic", "delete-records", "t", "--before", "-1", "--json")
            #expect(
                last.output == """
                    {"topic":"t","partition":0,"first":0}
                    {"topic":"t","partition":1,"first":3}

                    """)
            let beyond = try await server.millrace("topic", "delete-records", "t", "-p", "1", "--before", "9")
            #expect(beyond.status == 1 && beyond.errors.contains("OFFSET_OUT_OF_RANGE"))
            let missing = try await server.millrace("topic", "delete-records", "t", "-p", "7", "--before", "end")
            #expect(missing.status == 1)
        }
    }

    @Test func theListTellsWhatTopicsTakeAndKeep() async throws {
        try await BrokerProcess.run { server in
            #expect(try await server.millrace("topic", "list").output.hasPrefix("no topics"))
            _ = try await server.millrace("topic", "create", "a")
            _ = try await server.millrace(
                "topic", "create", "b", "-p", "2", "-c", "retention.ms=5400000", "-c", "retention.bytes=1048576", "-c",
                "millrace.retention.disk.percent=20")
            _ = try await server.millrace("produce", "b", "-p", "1", "-q", input: "0\n1\n2\n3\n")
            let list = try await server.millrace("topic", "list").output.split(separator: "\n")
            #expect(list.count == 4)
            #expect(words(String(list[0])) == ["NAME", "PARTITIONS", "REPLICAS", "SIZE", "KEEPS", "ID"])
            #expect(words(String(list[1])).dropLast() == ["a", "1", "1", "0", "B", "7d"])
            #expect(list[2].contains(" B  90m, 1.0 MiB a partition, 20 % of the disk  "))
            #expect(!list[2].contains(" 0 B "))
            #expect(list[3].hasPrefix("2 topics take ") && list[3].hasSuffix(" are free"))
            let json = try await server.millrace("topic", "list", "--json").output.split(separator: "\n")
            #expect(json.count == 2)
            #expect(json[0].hasSuffix(#""retention_ms":604800000,"retention_bytes":-1,"retention_disk_percent":0}"#))
        }
    }

    private func words(_ text: String) -> [String] { text.split(whereSeparator: \.isWhitespace).map(String.init) }
}
