import KafkaWire
import Log
import NIOCore
import Synchronization
import Testing

@testable import ServeKafka

@Suite struct ConfigsTests {
    private static let topic: Int8 = 2
    private static let broker: Int8 = 4

    private func describe(
        _ name: String, type: Int8 = topic, keys: [String]? = nil, synonyms: Bool = true
    ) -> DescribeConfigsRequest {
        var resource = DescribeConfigsRequest.DescribeConfigsResource()
        resource.resourceType = type
        resource.resourceName = name
        resource.configurationKeys = keys
        var request = DescribeConfigsRequest()
        request.resources = [resource]
        request.includeSynonyms = synonyms
        request.includeDocumentation = true
        return request
    }

    private func alter(
        _ name: String, type: Int8 = topic, _ changes: [(String, Int8, String?)]
    ) -> IncrementalAlterConfigsRequest {
        var resource = IncrementalAlterConfigsRequest.AlterConfigsResource()
        resource.resourceType = type
        resource.resourceName = name
        resource.configs = changes.map { name, operation, value in
            var config = IncrementalAlterConfigsRequest.AlterableConfig()
            config.name = name
            config.configOperation = operation
            config.value = value
            return config
        }
        var request = IncrementalAlterConfigsRequest()
        request.resources = [resource]
        return request
    }

    private func replace(_ name: String, type: Int8 = topic, _ configs: [(String, String?)]) -> AlterConfigsRequest {
        var resource = AlterConfigsRequest.AlterConfigsResource()
        resource.resourceType = type
        resource.resourceName = name
        resource.configs = configs.map { name, value in
            var config = AlterConfigsRequest.AlterableConfig()
            config.name = name
            config.value = value
            return config
        }
        var request = AlterConfigsRequest()
        request.resources = [resource]
        return request
    }

    @Test(arguments: DescribeConfigsRequest.versions)
    func everyVersionDescribesATopic(version: Int16) async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: ["retention.ms": "1234"])
            try await broker.client { client in
                let result = try await client.call(describe("t"), version: version).results[0]
                #expect(result.errorCode == .none && result.resourceType == 2 && result.resourceName == "t")
                #expect(result.configs.map(\.name) == result.configs.map(\.name).sorted())
                // Java's admin client throws on -1.
                #expect(result.configs.allSatisfy { $0.configSource > 0 && $0.value != nil && !$0.isSensitive })
                let retention = try #require(result.configs.first { $0.name == "retention.ms" })
                #expect(retention.value == "1234" && retention.configSource == 1 && !retention.readOnly)
                #expect(retention.synonyms.map(\.name) == ["retention.ms", "log.retention.ms"])
                #expect(retention.synonyms.map(\.value) == ["1234", "604800000"])
                #expect(retention.synonyms.map(\.source) == [1, 5])
                let policy = try #require(result.configs.first { $0.name == "cleanup.policy" })
                #expect(policy.value == "delete" && policy.configSource == 5 && policy.readOnly)
                if version >= 3 {
                    #expect(retention.configType == 5 && policy.configType == 7)
                    #expect(retention.documentation?.hasPrefix("How long records are kept") == true)
                }
                let two = try await client.call(
                    describe("t", keys: ["segment.ms", "flush.ms", "x"], synonyms: false), version: version)
                #expect(two.results[0].configs.map(\.name) == ["flush.ms", "segment.ms"])
                #expect(two.results[0].configs.allSatisfy { $0.synonyms.isEmpty })
            }
        }
    }

    @Test func theBrokersConfigsAreThoseOfWhoeverStartedIt() async throws {
        let configuration = RecordedConfiguration()
        try await TestBroker.with(configuration: configuration) { broker in
            try await broker.client { client in
                let name = "\(broker.log.nodeID)"
                let whole = try await client.call(describe(name, type: Self.broker), version: 4).results[0].configs
                #expect(whole.map(\.name) == ["a", "b"] && whole.map(\.readOnly) == [false, true])
                #expect(whole[0].configSource == 2 && whole[0].synonyms.map(\.source) == [2, 3, 4, 5])
                let every = try await client.call(describe("", type: Self.broker), version: 4).results[0].configs
                #expect(every.map(\.name) == ["every"] && every.map(\.configSource) == [3])
                let other = try await client.call(describe("99", type: Self.broker), version: 4).results[0]
                #expect(other.errorCode == .invalidRequest && other.errorMessage?.contains("99") == true)

                let changed = alter("", type: Self.broker, [("x", 0, "1"), ("y", 1, nil)])
                #expect(try await client.call(changed, version: 1).responses[0].errorCode == .none)
                let replaced = replace(name, type: Self.broker, [("x", "2")])
                #expect(try await client.call(replaced, version: 2).responses[0].errorCode == .none)
                var asked = alter(name, type: Self.broker, [("z", 2, "1")])
                asked.validateOnly = true
                #expect(try await client.call(asked, version: 1).responses[0].errorCode == .none)
                expectEqual(
                    configuration.seen, ["every x=set 1,y=reset", "this whole x=set 2", "this checked z=append 1"])
                let wrong = alter(name, type: Self.broker, [("wrong", 0, "1")])
                let refused = try await client.call(wrong, version: 1).responses[0]
                #expect(refused.errorCode == .invalidRequest && refused.errorMessage == "wrong is wrong")
            }
        }
    }

    @Test func aBrokerWithoutConfigsTellsNone() async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                for name in ["", "\(broker.log.nodeID)"] {
                    let found = try await client.call(describe(name, type: Self.broker), version: 4).results[0]
                    #expect(found.errorCode == .none && found.configs.isEmpty)
                }
            }
        }
    }

    @Test(arguments: [
        (Int8(2), "gone", ErrorCode.unknownTopicOrPartition), (2, "../t", .invalidTopicException),
        (8, "1", .invalidRequest), (32, "group", .invalidRequest), (-1, "", .invalidRequest),
    ])
    func whatIsNotThereIsRefused(type: Int8, name: String, expected: ErrorCode) async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                let described = try await client.call(describe(name, type: type), version: 4).results[0]
                #expect(described.errorCode == expected && described.errorMessage != nil)
                let altered = try await client.call(
                    alter(name, type: type, [("retention.ms", 0, "1")]), version: 1
                ).responses[0]
                #expect(altered.errorCode == expected && altered.errorMessage != nil)
                let replaced = try await client.call(replace(name, type: type, []), version: 2).responses[0]
                #expect(replaced.errorCode == expected)
            }
        }
    }

    @Test(arguments: IncrementalAlterConfigsRequest.versions)
    func everyVersionChangesConfigs(version: Int16) async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: ["retention.ms": "1", "segment.ms": "2"])
            let throttled = "leader.replication.throttled.replicas"
            try await broker.client { client in
                let changes: [(String, Int8, String?)] = [
                    ("max.message.bytes", 0, "100"), ("retention.ms", 1, nil), ("segment.ms", 0, nil),
                    (throttled, 2, "0:1"),
                ]
                var checked = alter("t", changes)
                checked.validateOnly = true
                expectEqual(try await client.call(checked, version: version).responses[0].errorCode, ErrorCode.none)
                #expect(broker.log.topic(named: "t")?.configs == ["retention.ms": "1", "segment.ms": "2"])
                let answer = try await client.call(alter("t", changes), version: version).responses[0]
                #expect(answer.errorCode == .none && answer.resourceType == 2 && answer.resourceName == "t")
                #expect(broker.log.topic(named: "t")?.configs == ["max.message.bytes": "100", throttled: "0:1"])
                let refused = try await client.call(
                    produceRequest("t", batch(bytes: 200)), version: 9)
                #expect(refused.responses[0].partitionResponses[0].errorCode == .messageTooLarge)
                _ = try await client.call(
                    alter("t", [("max.message.bytes", 1, nil), (throttled, 3, "0:1")]), version: version)
                #expect(broker.log.topic(named: "t")?.configs == [throttled: ""])
                let served = try await client.call(produceRequest("t", batch(bytes: 200)), version: 9)
                #expect(served.responses[0].partitionResponses[0].errorCode == ErrorCode.none)
            }
        }
    }

    @Test(arguments: AlterConfigsRequest.versions)
    func everyVersionReplacesConfigs(version: Int16) async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: ["retention.ms": "1", "segment.ms": "2"])
            try await broker.client { client in
                var checked = replace("t", [("flush.ms", "7")])
                checked.validateOnly = true
                expectEqual(try await client.call(checked, version: version).responses[0].errorCode, ErrorCode.none)
                #expect(broker.log.topic(named: "t")?.configs == ["retention.ms": "1", "segment.ms": "2"])
                let answer = try await client.call(
                    replace("t", [("flush.ms", "7"), ("segment.ms", nil)]), version: version
                ).responses[0]
                #expect(answer.errorCode == .none && answer.resourceName == "t")
                #expect(broker.log.topic(named: "t")?.configs == ["flush.ms": "7"])
                let bad = try await client.call(
                    replace("t", [("no.such", "7")]), version: version
                ).responses[0]
                #expect(bad.errorCode == .invalidConfig && bad.errorMessage == "unknown config no.such")
                #expect(broker.log.topic(named: "t")?.configs == ["flush.ms": "7"])
            }
        }
    }

    @Test func badChangesAreRefusedByName() async throws {
        try await TestBroker.with { broker in
            _ = try broker.log.createTopic("t", partitions: 1, configs: [:])
            let node = "\(broker.log.nodeID)"
            try await broker.client { client in
                func refusal(
                    _ request: IncrementalAlterConfigsRequest
                ) async throws -> IncrementalAlterConfigsResponse.AlterConfigsResourceResponse {
                    try await client.call(request, version: 1).responses[0]
                }
                for (change, code) in [
                    (("no.such", 0, "1"), ErrorCode.invalidConfig), (("retention.ms", 0, "x"), .invalidConfig),
                    (("retention.ms", 2, "1"), .invalidConfig), (("cleanup.policy", 2, "compact"), .invalidConfig),
                    (("retention.ms", 9, "1"), .invalidRequest), (("cleanup.policy", 2, nil), .invalidRequest),
                ] as [((String, Int8, String?), ErrorCode)] {
                    let answer = try await refusal(alter("t", [change]))
                    #expect(answer.errorCode == code && answer.errorMessage?.contains(change.0) == true)
                }
                let twice = try await refusal(alter("t", [("flush.ms", 0, "1"), ("flush.ms", 1, nil)]))
                #expect(twice.errorCode == .invalidRequest)
                var same = alter("t", [("flush.ms", 0, "1")])
                same.resources.append(same.resources[0])
                expectEqual(
                    try await client.call(same, version: 1).responses.map(\.errorCode),
                    [.invalidRequest, .invalidRequest])
                let fixed = try await refusal(alter(node, type: Self.broker, [("log.retention.ms", 0, "1")]))
                #expect(fixed.errorCode == .invalidRequest)
                #expect(fixed.errorMessage == "the configs of this broker cannot be changed")
                #expect(broker.log.topic(named: "t")?.configs == [:])
            }
        }
    }
}

/// Configs of a broker that remember what was asked of them.
private final class RecordedConfiguration: BrokerConfiguration {
    private let changes = Mutex<[String]>([])
    var seen: [String] { changes.withLock { $0 } }

    func describe(_ scope: BrokerConfigStore.Scope) -> [ConfigDescription] {
        guard scope == .thisBroker else { return [config("every", [.everyBroker])] }
        return [
            config("a", [.thisBroker, .everyBroker, .broker, .default]), config("b", [.default], isReadOnly: true),
        ]
    }

    private func config(
        _ name: String, _ sources: [ConfigDescription.Source], isReadOnly: Bool = false
    ) -> ConfigDescription {
        ConfigDescription(
            name: name, kind: .int, documentation: "", isReadOnly: isReadOnly,
            settings: sources.map { .init(name: name, value: "1", source: $0) })
    }

    func alter(
        _ scope: BrokerConfigStore.Scope, _ changes: [String: ConfigChange], isWhole: Bool, validateOnly: Bool
    ) throws(LogError) {
        if changes["wrong"] != nil { throw LogError(.invalidConfig, "wrong is wrong") }
        let words = changes.sorted { $0.key < $1.key }.map { name, change in
            switch change {
            case .set(let value): "\(name)=set \(value)"
            case .reset: "\(name)=reset"
            case .append(let value): "\(name)=append \(value)"
            case .subtract(let value): "\(name)=subtract \(value)"
            }
        }
        let how = (isWhole ? "whole " : "") + (validateOnly ? "checked " : "")
        self.changes.withLock {
            $0.append("\(scope == .everyBroker ? "every" : "this") \(how)\(words.joined(separator: ","))")
        }
    }
}
