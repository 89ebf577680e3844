import Testing

@testable import KafkaClient

@Suite struct SettingsTests {
    @Test(
        arguments: [
            ("localhost:9093", "localhost:9093"), ("broker", "broker:9092"), ("[::1]:1", "[::1]:1"),
            ("[fe80::1]", "[fe80::1]:9092"), ("10.0.0.1:65535", "10.0.0.1:65535"),
        ])
    func readsAddresses(text: String, expected: String) throws {
        #expect(try BrokerAddress(parsing: text).description == expected)
    }

    @Test(arguments: ["", ":9092", "host:", "host:0", "host:65536", "host:abc", "[]:1"])
    func refusesWhatIsNoAddress(text: String) {
        #expect(throws: KafkaClientError.self) { try BrokerAddress(parsing: text) }
    }

    @Test func everyDefaultIsValid() throws {
        #expect(try ClientSettings().validated().map(\.description) == ["127.0.0.1:9092"])
        try ProducerSettings().validate()
        try ConsumerSettings().validate()
    }

    @Test func anIdempotentProducerNeedsAllAcknowledgements() {
        var settings = ProducerSettings()
        settings.acknowledgement = .leader
        #expect(code { () throws(KafkaClientError) in try settings.validate() } == .invalid)
        settings.isIdempotent = false
        #expect(code { () throws(KafkaClientError) in try settings.validate() } == nil)
        settings.isIdempotent = true
        settings.acknowledgement = .all
        settings.maximumInFlightPerPartition = 6
        #expect(code { () throws(KafkaClientError) in try settings.validate() } == .invalid)
    }

    @Test func limitsAreChecked() {
        var client = ClientSettings(bootstrap: [])
        #expect(code { () throws(KafkaClientError) in _ = try client.validated() } == .invalid)
        client = ClientSettings()
        client.requestTimeoutMilliseconds = 0
        #expect(code { () throws(KafkaClientError) in _ = try client.validated() } == .invalid)
        var producer = ProducerSettings()
        producer.bufferBytes = 10
        #expect(code { () throws(KafkaClientError) in try producer.validate() } == .invalid)
        var consumer = ConsumerSettings()
        consumer.prefetchBytes = 0
        #expect(code { () throws(KafkaClientError) in try consumer.validate() } == .invalid)
    }
}

/// The code of the error that `body` throws; nil if it throws none.
func code(_ body: () throws(KafkaClientError) -> Void) -> KafkaClientError.Code? {
    do throws(KafkaClientError) {
        try body()
        return nil
    } catch {
        return error.code
    }
}

/// The code of the error that `body` throws; nil if it throws none.
func code(_ body: () async throws(KafkaClientError) -> Void) async -> KafkaClientError.Code? {
    do throws(KafkaClientError) {
        try await body()
        return nil
    } catch {
        return error.code
    }
}
