import Bytes
import KafkaWire
import Testing

@testable import ServeKafka

@Suite struct ApiVersionsTests {
    private func request(_ name: String = "test-client", _ version: String = "1.0") -> ApiVersionsRequest {
        var request = ApiVersionsRequest()
        request.clientSoftwareName = name
        request.clientSoftwareVersion = version
        return request
    }

    @Test(arguments: ApiVersionsRequest.versions)
    func everyVersionTellsWhatIsServed(version: Int16) async throws {
        try await TestBroker.with { broker in
            let response = try await broker.client { try await $0.call(request(), version: version) }
            #expect(response.errorCode == .none)
            let keys = Dictionary(uniqueKeysWithValues: response.apiKeys.map { ($0.apiKey, $0) })
            #expect(keys.count == ServedAPI.allCases.count)
            // Without Produce 0, librdkafka silently drops compression.
            #expect(keys[0]?.minVersion == 0 && keys[0]?.maxVersion == 13)
            #expect(keys[1]?.minVersion == 4 && keys[1]?.maxVersion == 18)
            #expect(keys[10] != nil, "librdkafka sends lz4 only to brokers with FindCoordinator")
            #expect(keys[11]?.minVersion == 0 && keys[11]?.maxVersion == 9)
        }
    }

    /// KIP-511: the form of version 0, an error, and a connection that stays open.
    @Test(arguments: [Int16(5), 99, Int16.max, -1])
    func anUnknownVersionIsAnsweredInTheFormOfVersion0(version: Int16) async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                var writer = ByteWriter()
                let frame = writer.beginFrame()
                RequestHeader(apiKey: 18, apiVersion: version, correlationId: 77, clientId: "x")
                    .encode(into: &writer, headerVersion: 1)
                writer.write(contentsOf: [1, 2, 3])
                writer.endFrame(frame)
                try await client.send(writer.array())
                let refusal = try await client.receive(ApiVersionsResponse.self, version: 0, correlationID: 77)
                #expect(refusal.errorCode == .unsupportedVersion)
                #expect(refusal.apiKeys.map(\.apiKey) == [18])
                #expect(refusal.apiKeys.first?.maxVersion == 4)
                expectEqual(try await client.call(request(), version: 3).errorCode, .none)
            }
        }
    }

    @Test func clientsAreCountedByWhatTheySayTheyAre() async throws {
        try await TestBroker.with { broker in
            _ = try await broker.client { try await $0.call(request("librdkafka", "2.6.0"), version: 3) }
            #expect(
                broker.metric(
                    #"millrace_kafka_client_software_total{name="librdkafka",version="2.6.0"}"#) == 1)
        }
    }

    @Test(arguments: ["", "-a", "a-", "a b", "ä", "a\n"])
    func softwareNamesAreValidated(name: String) async throws {
        try await TestBroker.with { broker in
            try await broker.client { client in
                expectEqual(try await client.call(request(name), version: 3).errorCode, .invalidRequest)
                expectEqual(try await client.call(request("a", name), version: 4).errorCode, .invalidRequest)
                expectEqual(try await client.call(request("a.b-c9"), version: 3).errorCode, .none)
            }
        }
    }
}
