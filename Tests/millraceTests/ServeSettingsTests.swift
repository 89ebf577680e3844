import ArgumentParser
import Logging
import ServeHTTP
import ServeKafka
import Testing

@testable import millrace

@Suite struct ServeSettingsTests {
    private func settings(_ arguments: [String], _ environment: [String: String] = [:]) throws -> ServeSettings {
        try ServeSettings(ServeOptions.parse(arguments), environment: ServeEnvironment { environment[$0] })
    }

    private func problem(_ arguments: [String], _ environment: [String: String] = [:]) -> String? {
        do {
            _ = try settings(arguments, environment)
            return nil
        } catch {
            return (error as? ValidationError)?.message ?? "\(error)"
        }
    }

    @Test func defaultsListenOnLoopback() throws {
        let settings = try settings(["--data", "d"])
        #expect(settings.data == "d")
        #expect(settings.kafka.host == "127.0.0.1" && settings.kafka.port == 9092)
        #expect(settings.http.host == "127.0.0.1" && settings.http.port == 8086)
        #expect(settings.kafka.advertised == nil && settings.kafka.autoCreateTopics)
    }

    @Test func optionsWinOverTheEnvironment() throws {
        let environment = [
            "MILLRACE_DATA": "e", "MILLRACE_KAFKA_LISTEN": "[::1]:1", "MILLRACE_DEFAULT_PARTITIONS": "3",
            "MILLRACE_AUTO_CREATE_TOPICS": "false", "MILLRACE_LOG_LEVEL": "debug", "MILLRACE_HTTP_LISTEN": "",
        ]
        let fromEnvironment = try settings([], environment)
        #expect(fromEnvironment.data == "e")
        #expect(fromEnvironment.kafka.host == "::1" && fromEnvironment.kafka.port == 1)
        #expect(fromEnvironment.kafka.defaultPartitions == 3 && !fromEnvironment.kafka.autoCreateTopics)
        #expect(fromEnvironment.logLevel == .debug && fromEnvironment.http.port == 8086)
        let fromBoth = try settings(
            ["--kafka-listen", "localhost:0", "--default-partitions", "5", "--auto-create-topics"], environment)
        #expect(fromBoth.kafka.host == "localhost" && fromBoth.kafka.port == 0)
        #expect(fromBoth.kafka.defaultPartitions == 5 && fromBoth.kafka.autoCreateTopics)
    }

    @Test(arguments: ["0.0.0.0:9092", "[::]:9092", "10.0.0.1:9092", "example.com:9092"])
    func aPublicAddressNeedsPermissionInSoManyWords(address: String) throws {
        for option in ["--kafka-listen", "--http-listen", "--grpc-listen"] {
            let arguments = ["--data", "d", option, address]
            #expect(problem(arguments)?.contains("--allow-unauthenticated-public") == true)
            #expect(problem(arguments + ["--allow-unauthenticated-public"]) == nil)
            #expect(problem(arguments, ["MILLRACE_ALLOW_UNAUTHENTICATED_PUBLIC": "true"]) == nil)
        }
    }

    @Test(arguments: [
        (["--kafka-listen", "9092"], "HOST:PORT"), (["--kafka-listen", "::1:9092"], "HOST:PORT"),
        (["--kafka-listen", "127.0.0.1:99999"], "HOST:PORT"), (["--default-partitions", "0"], "1 to 10000"),
        (["--log-format", "xml"], "logfmt, json"), (["--advertised-listener", "a:0"], "above 0"),
        (["--max-request-bytes", "5"], "1024 to"),
    ])
    func badValuesNameWhatIsRight(arguments: [String], words: String) {
        #expect(problem(["--data", "d"] + arguments)?.contains(words) == true)
    }

    @Test func badVariablesNameTheVariable() {
        #expect(problem([], [:])?.contains("MILLRACE_DATA") == true)
        let variables = ["MILLRACE_DATA": "d", "MILLRACE_STOP_TIMEOUT": "soon"]
        #expect(problem([], variables)?.contains("MILLRACE_STOP_TIMEOUT") == true)
    }
}
