import Glibc
import Machine
import MillraceTesting
import Testing

/// The commands as people and programs use them: output, errors and exit status.
@Suite(.serialized) struct CommandLineTests {
    @Test func whatIsProducedIsConsumed() async throws {
        try await BrokerProcess.run { server in
            let produced = try await server.millrace(
                "produce", "events", "-K", ":", "-H", "from=test", "--json", input: "a:1\nb:2\nno key\n")
            #expect(produced.status == 0)
            #expect(produced.output.hasPrefix(#"{"records":3,"failed":0,"bytes":10,"seconds":"#))
            #expect(produced.output.contains(#""partitions":[{"partition":0,"records":3,"first":0,"last":2}]"#))
            #expect(produced.errors == "")

            let plain = try await server.millrace("consume", "events")
            #expect(plain.output == "1\n2\nno key\n")
            let formatted = try await server.millrace(
                "consume", "events", "--format", "%t/%p/%o %k %K %S %h\\n", "--from", "-2")
            #expect(formatted.output == "events/0/1 b 1 1 from=test\nevents/0/2  -1 6 from=test\n")
            let json = try await server.millrace("consume", "events", "--json", "--count", "1")
            #expect(json.output.hasPrefix(#"{"topic":"events","partition":0,"offset":0,"timestamp":"#))
            #expect(json.output.hasSuffix(#""key":"a","value":"1","headers":[{"name":"from","value":"test"}]}"# + "\n"))
            let some = try await server.millrace("consume", "events", "--from", "1", "--to", "2")
            #expect(some.output == "2\n")
            let later = try await server.millrace("consume", "events", "--from", "end", "--to", "end")
            #expect(later.output == "" && later.status == 0)
        }
    }

    @Test func jsonLinesGoThereAndBack() async throws {
        try await BrokerProcess.run { server in
            let lines = """
                {"key":"k","value":"v","headers":[{"name":"h","value":"x"}],"timestamp":1700000000000}
                {"key_base64":"/w==","value":null}

                """
            let produced = try await server.millrace("produce", "one", "--json-lines", "-q", input: lines)
            #expect(produced.status == 0 && produced.output == "")
            let first = try await server.millrace("consume", "one", "--json")
            #expect(first.output.contains(#""key_base64":"/w==","value":null"#))
            _ = try await server.millrace("produce", "two", "--json-lines", "-q", input: first.output)
            let second = try await server.millrace("consume", "two", "--json")
            #expect(second.output == first.output.replacing("\"one\"", with: "\"two\""))
            let wrong = try await server.millrace("produce", "two", "--json-lines", input: "not json\n")
            #expect(wrong.status == 1)
            #expect(wrong.errors.contains("not a record in JSON: not json"))
        }
    }

    @Test func topicsAreAdministered() async throws {
        try await BrokerProcess.run { server in
            let empty = try await server.millrace("topic", "list")
            #expect(empty.output == "no topics: create one with `millrace topic create NAME`\n")
            let created = try await server.millrace("topic", "create", "b", "a", "-p", "3")
            #expect(created.output == "created b with 3 partitions\ncreated a with 3 partitions\n")
            let again = try await server.millrace("topic", "create", "a")
            #expect(again.status == 1)
            #expect(again.errors.hasPrefix("error: cannot create topic \"a\": TOPIC_ALREADY_EXISTS"))
            #expect(try await server.millrace("topic", "create", "a", "--if-not-exists").status == 0)
            let list = try await server.millrace("topic", "list")
            let words = list.output.split(whereSeparator: \.isWhitespace).map(String.init)
            #expect(Array(words.prefix(7)) == ["NAME", "PARTITIONS", "REPLICAS", "SIZE", "KEEPS", "ID", "a"])
            let description = try await server.millrace("topic", "describe", "a", "--json")
            #expect(description.output.contains(#"{"partition":2,"leader":"#))
            #expect(description.output.contains(#""first":0,"end":0}],"configs":{"#))
            #expect(try await server.millrace("topic", "delete", "a").output == "deleted a\n")
            let gone = try await server.millrace("topic", "delete", "a")
            #expect(gone.status == 1)
            #expect(try await server.millrace("topic", "delete", "a", "--if-exists").status == 0)
            #expect(try await server.millrace("topic", "describe", "a").status == 1)
        }
    }

    @Test func followingEndsInGoodOrder() async throws {
        try await BrokerProcess.run { server in
            _ = try await server.millrace("topic", "create", "live")
            let following = try RunningBinary(
                ["consume", "live", "--follow"], environment: ["MILLRACE_BOOTSTRAP": server.address])
            _ = try await server.millrace("produce", "live", input: "one\n")
            try await following.waitForOutput { $0 == "one\n" }
            _ = try await server.millrace("produce", "live", input: "two\n")
            try await following.waitForOutput { $0 == "one\ntwo\n" }
            following.signal(SIGINT)
            let outcome = try await following.wait()
            #expect(outcome.status == 0)
            #expect(outcome.errors == "")
        }
    }

    @Test func anInterruptedProduceDeliversWhatItRead() async throws {
        try await BrokerProcess.run { server in
            let producing = try RunningBinary(
                ["produce", "cut", "--json"], environment: ["MILLRACE_BOOTSTRAP": server.address])
            producing.write("one\ntwo\nhalf a li")
            // It is delivered while the input is still open: a line goes out when it comes.
            let following = try RunningBinary(
                ["consume", "cut", "--follow"], environment: ["MILLRACE_BOOTSTRAP": server.address])
            defer { following.signal(SIGKILL) }
            if try await !appears("one\ntwo\n", in: following, server) { return }
            producing.signal(SIGINT)
            let outcome = try await producing.wait()
            #expect(outcome.status == 130)
            #expect(outcome.output.hasPrefix(#"{"records":2,"failed":0"#))
            #expect(outcome.errors.contains("interrupted"))
        }
    }

    /// The topic may not exist yet when the reader begins: then it is started anew.
    private func appears(_ text: String, in reader: RunningBinary, _ server: BrokerProcess) async throws -> Bool {
        for _ in 0..<200 {
            let seen = try await server.millrace("consume", "cut")
            if seen.output == text { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("never seen: \(text)")
        return false
    }

    @Test func aReaderThatGoesAwayEndsItQuietly() async throws {
        try await BrokerProcess.run { server in
            let lines = (0..<50_000).map { "line \($0)\n" }.joined()
            #expect(try await server.millrace("produce", "many", "-q", input: lines).status == 0)
            let shell = try await ShellRun.run(
                "'\(RunningBinary.path)' consume many | head -n 2; echo ${PIPESTATUS[0]}",
                environment: ["MILLRACE_BOOTSTRAP": server.address])
            #expect(shell.output == "line 0\nline 1\n0\n")
            #expect(shell.errors == "")
        }
    }

    @Test func failuresNameTheNextStep() async throws {
        let nobody = try await RunningBinary.run(["topic", "list", "-b", "127.0.0.1:1", "--timeout", "1s"])
        #expect(nobody.status == 1)
        #expect(
            nobody.errors.hasPrefix(
                "error: no broker can be reached: cannot connect to 127.0.0.1:1: connection refused\nhint: "))
        try await BrokerProcess.run { server in
            let missing = try await server.millrace("consume", "nope")
            #expect(missing.status == 1)
            #expect(
                missing.errors.contains("topic \"nope\" does not exist: create it with `millrace topic create nope`"))
            #expect(try await server.millrace("topic", "list", "-b", "host:port").status == 1)
            let file = try await server.millrace("produce", "t", "/does/not/exist")
            #expect(file.status == 1)
            #expect(file.errors.contains("cannot open /does/not/exist: No such file or directory"))
        }
    }

    @Test func aDataDirectoryIsChecked() async throws {
        try await BrokerProcess.run { server in
            _ = try await server.millrace("produce", "kept", "-q", input: "one\ntwo\n")
            let locked = try await RunningBinary.run(["check", server.data])
            #expect(locked.status == 1)
            #expect(locked.errors.contains("hint: stop the server first"))
            try await server.stop()
            let sound = try await RunningBinary.run(["check", server.data, "--json"])
            #expect(sound.status == 0)
            #expect(sound.output.contains(#""sound":true,"partitions":1,"segments":1,"batches":1,"records":2"#))

            let segment = server.data + "/log/kept/0/00000000000000000000.log"
            let file = try Machine.posix().files.open(segment, .readWrite)
            try file.write("X", at: 70)
            let damaged = try await RunningBinary.run(["check", server.data])
            #expect(damaged.status == 2)
            #expect(damaged.output.contains("damage: \(segment)"))
            #expect(damaged.output.contains("--repair"))
            let repaired = try await RunningBinary.run(["check", server.data, "--repair"])
            #expect(repaired.status == 0, "\(repaired.output)")
            #expect(repaired.output.contains("repaired, "))
        }
        let nothing = try await RunningBinary.run(["check", "/does/not/exist"])
        #expect(nothing.status == 1)
    }

    @Test(
        arguments: [
            ["consume"], ["consume", "t", "--format", "%q"], ["consume", "t", "--follow", "--to", "end"],
            ["consume", "t", "--from", "yesterday-ish"], ["produce", "t", "--acks", "2"],
            ["produce", "t", "--idempotent", "--acks", "1"], ["produce", "t", "-H", "novalue"], ["topic"], ["nonsense"],
            ["topic", "create", "t", "--partitions", "0"], ["topic", "alter", "t"], ["topic", "delete-records", "t"],
            ["topic", "alter", "t", "--config", "a=1", "--delete-config", "a"],
        ])
    func wrongUsageIs64(arguments: [String]) async throws {
        let outcome = try await RunningBinary.run(arguments)
        // `millrace topic` alone prints its help.
        #expect(outcome.status == (arguments == ["topic"] ? 0 : 64), "\(arguments): \(outcome.errors)")
    }

    @Test func helpAndCompletion() async throws {
        let help = try await RunningBinary.run(["--help"])
        #expect(help.status == 0)
        for command in ["serve", "topic", "produce", "consume"] { #expect(help.output.contains("\n  \(command)")) }
        for shell in ["bash", "zsh", "fish"] {
            let script = try await RunningBinary.run(["--generate-completion-script", shell])
            #expect(script.status == 0 && script.output.contains("consume"))
        }
        #expect(try await RunningBinary.run(["--version"]).output == "0.1.0\n")
    }
}
