import ArgumentParser
import Log
import Logging
import Machine
import MillraceTesting
import ServeHTTP
import ServeKafka
import Testing

@testable import millrace

/// What wins over what, and what a whole configuration comes to.
@Suite struct ConfigurationTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory("configuration")
    }

    private func read(
        _ arguments: [String], _ environment: [String: String] = [:], file text: String? = nil
    ) throws -> Configuration {
        var arguments = arguments
        let files = Machine.posix().files
        if let text {
            let path = directory.path + "/m.yaml"
            let file = try files.open(path, .replace)
            try file.write(text, at: 0)
            file.close()
            arguments += ["--config", path]
        }
        return Configuration.read(try ServeOptions.parse(arguments), ServeEnvironment(values: environment), files)
    }

    private func mistakes(_ arguments: [String], _ environment: [String: String] = [:]) throws -> [String] {
        do {
            _ = try read(arguments, environment).validated()
            return []
        } catch let failure as ConfigurationFailure {
            return failure.mistakes.map(\.description)
        }
    }

    @Test func defaultsListenOnLoopback() throws {
        let settings = try read(["--data", "d"]).validated().settings
        #expect(settings.data == "d")
        #expect(settings.kafka.host == "127.0.0.1" && settings.kafka.port == 9092)
        #expect(settings.http.host == "127.0.0.1" && settings.http.port == 8086)
        #expect(settings.kafka.advertised == nil && settings.kafka.autoCreateTopics)
    }

    @Test func flagsWinOverTheEnvironmentWhichWinsOverTheFile() throws {
        let file = """
            data: f
            stop-timeout: 1
            default-partitions: 2
            max-connections: 3
            topic-defaults:
              retention.ms: 1
              segment.ms: 2
              flush.ms: 3
            """
        let environment = [
            "MILLRACE_DEFAULT_PARTITIONS": "20", "MILLRACE_MAX_CONNECTIONS": "30", "MILLRACE_DATA": "",
            "MILLRACE_TOPIC_DEFAULTS": "segment.ms=20,flush.ms=30", "MILLRACE_AUTO_CREATE_TOPICS": "0",
        ]
        let flags = ["--max-connections", "300", "--topic-defaults", "flush.ms=300", "--kafka-listen", "[::1]:0"]
        let all = try read(flags, environment, file: file)
        #expect(all.mistakes == [])
        let settings = all.settings
        #expect(settings.data == "f" && settings.stopTimeoutSeconds == 1)
        #expect(settings.kafka.defaultPartitions == 20 && settings.kafka.maximumConnections == 300)
        let defaults = settings.log.topicDefaults
        #expect(defaults.retentionMilliseconds == 1 && defaults.segmentMilliseconds == 20)
        #expect(defaults.flushMilliseconds == 300 && !settings.kafka.autoCreateTopics)
        #expect(settings.kafka.host == "::1" && settings.kafka.port == 0)

        let place = FilePlace(file: directory.path + "/m.yaml", line: 2, column: 15)
        #expect(all.origin(of: "stop-timeout") == .file(place))
        #expect(all.origin(of: "default-partitions") == .environment("MILLRACE_DEFAULT_PARTITIONS"))
        #expect(all.origin(of: "max-connections") == .flag("--max-connections"))
        #expect(all.origin(of: "topic-defaults.segment.ms") == .environment("MILLRACE_TOPIC_DEFAULTS"))
        #expect(all.origin(of: "log-level") == nil)
    }

    @Test func theEnvironmentMayNameTheFile() throws {
        _ = try read([], file: "data: named\n")
        let path = directory.path + "/m.yaml"
        #expect(try read([], ["MILLRACE_CONFIG": path]).settings.data == "named")
        #expect(try read(["--config", path], ["MILLRACE_CONFIG": "/nowhere"]).settings.data == "named")
    }

    @Test(arguments: ["0.0.0.0:9092", "[::]:9092", "10.0.0.1:9092", "example.com:9092"])
    func aPublicAddressNeedsPermissionInSoManyWords(address: String) throws {
        for option in ["--kafka-listen", "--http-listen", "--grpc-listen"] {
            let arguments = ["--data", "d", option, address]
            #expect(try mistakes(arguments).first?.contains("--allow-unauthenticated-public") == true)
            #expect(try mistakes(arguments + ["--allow-unauthenticated-public"]) == [])
            #expect(try mistakes(arguments, ["MILLRACE_ALLOW_UNAUTHENTICATED_PUBLIC": "true"]) == [])
        }
    }

    @Test func everyPlaceIsNamedByItsMistake() throws {
        let flags = ["--default-partitions", "0", "--topic-defaults", "retention.mz=1", "--topic-defaults", "flush.ms"]
        let environment = ["MILLRACE_STOP_TIMEOUT": "soon", "MILLRACE_TOPIC_DEFAULTS": "segment.ms=0"]
        #expect(
            try mistakes(flags, environment) == [
                #"--topic-defaults names an unknown topic config "retention.mz": did you mean retention.ms?"#,
                #"--topic-defaults is "flush.ms"; it must be CONFIG=VALUE, such as retention.ms=86400000"#,
                #"MILLRACE_STOP_TIMEOUT is "soon"; it must be a whole number from 0 to 3600"#,
                #"MILLRACE_TOPIC_DEFAULTS segment.ms is "0"; it must be a whole number from 1 to 9223372036854775807"#,
                #"--default-partitions is "0"; it must be a whole number from 1 to 10000"#,
                "say where the data is: --data DIR, MILLRACE_DATA, or `data: DIR` in the file",
            ])
    }

    @Test func filesThatCannotBeReadAreNamed() throws {
        #expect(
            try mistakes(["--data", "d", "--config", "/no/such"]) == [
                "/no/such: there is no such file; --config or MILLRACE_CONFIG names it"
            ])
        #expect(try mistakes(["--data", "d", "--config", "/"]) == ["/: this is a directory: name the file in it"])
        #expect(
            try mistakes(["--data", "d", "--config", "/dev/zero"]) == [
                "/dev/zero: the file has more than 1048576 bytes: this is no configuration"
            ])
    }

    @Test func variablesThatMeanNothingAreFound() {
        let environment = ServeEnvironment(values: [
            "MILLRACE_KAFKA_LISTN": "a", "MILLRACE_WHATEVER": "b", "MILLRACE_DATA": "c", "MILLRACE_BOOTSTRAP": "d",
            "PATH": "e",
        ])
        #expect(environment.unknown.map(\.name) == ["MILLRACE_KAFKA_LISTN", "MILLRACE_WHATEVER"])
        #expect(environment.unknown.map(\.nearest) == ["MILLRACE_KAFKA_LISTEN", nil])
    }

    @Test func thePrintedFileIsReadBackToTheSameSettings() throws {
        let flags = [
            "--data", #"a "quoted" \ path #1"#, "--kafka-listen", "[::1]:1", "--max-connections", "5",
            "--no-auto-create-topics", "--log-level", "debug", "--topic-defaults", "retention.ms=-1",
            "--topic-defaults", "message.timestamp.type=LogAppendTime", "--disk-reserve-bytes", "0",
        ]
        for original in [try read(flags), try read([])] {
            let printed = ConfigurationReport.yaml(original)
            let again = try read([], file: printed)
            #expect(again.mistakes == [])
            for setting in SettingTable.all {
                #expect(again.value(of: setting.name) == original.value(of: setting.name), "\(setting.name)")
                #expect((again.origin(of: setting.name) == nil) == (original.origin(of: setting.name) == nil))
            }
        }
    }

    @Test func everyDefaultOfThePrintedFileMayBeUncommented() throws {
        let lines = ConfigurationReport.yaml(Configuration([])).split(separator: "\n")
        // A comment has one space behind its "#", a default none, or its indentation.
        let settings = lines.filter { $0.hasPrefix("#  ") || $0.hasPrefix("#") && !$0.hasPrefix("# ") && $0 != "#" }
        // What has no default is a name alone.
        let text = settings.map { $0.dropFirst() }.filter { !$0.hasSuffix(":") || $0 == "topic-defaults:" }
        let all = try read([], file: text.joined(separator: "\n"))
        #expect(all.mistakes == [])
        #expect(all.given.count == SettingTable.all.filter { $0.defaultValue != nil }.count)
        for setting in SettingTable.all { #expect(all.value(of: setting.name) == setting.defaultValue) }
    }
}
