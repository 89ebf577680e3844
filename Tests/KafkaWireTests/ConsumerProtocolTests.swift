import Bytes
import KafkaWire
import Testing

extension TopicPartitions: RandomValue {
    static func random(_ source: inout RandomSource, _ version: Int16) -> Self {
        Self(topic: source.string(), partitions: source.array { $0.integer() })
    }
}

/// What consumers put into group messages.
private protocol ConsumerData: RandomValue, Sendable {
    init(decoding bytes: [UInt8]) throws(WireError)
    func encoded(version: Int16) -> [UInt8]
    static var versions: ClosedRange<Int16> { get }
}

extension ConsumerProtocolSubscription: ConsumerData {
    static func random(_ source: inout RandomSource, _ version: Int16) -> Self {
        var value = Self()
        value.topics = source.array { $0.string() }
        value.userData = source.chance(4) ? nil : source.bytes()
        if version >= 1 { value.ownedPartitions = source.array { .random(&$0, version) } }
        if version >= 2 { value.generationId = source.integer() }
        if version >= 3 { value.rackId = source.chance(4) ? nil : source.string() }
        return value
    }
}

extension ConsumerProtocolAssignment: ConsumerData {
    static func random(_ source: inout RandomSource, _ version: Int16) -> Self {
        var value = Self()
        value.assignedPartitions = source.array { .random(&$0, version) }
        value.userData = source.chance(4) ? nil : source.bytes()
        return value
    }
}

private let types: [any ConsumerData.Type] = [ConsumerProtocolSubscription.self, ConsumerProtocolAssignment.self]

struct ConsumerProtocolTests {
    @Test func whatKafkasDefinitionsSayIsReadAndWrittenByteForByte() throws {
        let messages = try GoldenMessage.all(in: "consumer_protocol.txt")
        for golden in messages {
            let type = try #require(types.first { "\($0)" == golden.name })
            try check(type, golden)
        }
        #expect(messages.count == 16, "two messages for each of four versions, full and null")
    }

    private func check<Data: ConsumerData>(_ type: Data.Type, _ golden: GoldenMessage) throws {
        let data = try type.init(decoding: golden.bytes)
        #expect(data.encoded(version: golden.version) == golden.bytes, "\(golden.name) \(golden.version)")
        if golden.isFull { #expect(mismatches(in: data).isEmpty, "\(golden.name) \(golden.version)") }
    }

    @Test(arguments: types.indices)
    func randomValuesComeBackEqualAndTheirNewerVersionsToo(_ index: Int) throws {
        try roundTrip(types[index])
    }

    private func roundTrip<Data: ConsumerData>(_ type: Data.Type) throws {
        for version in type.versions {
            for seed in 0..<30 as Range<UInt64> {
                var source = RandomSource(seed: seed)
                let data = type.random(&source, version)
                #expect(try type.init(decoding: data.encoded(version: version)) == data)
                guard version == type.versions.upperBound else { continue }
                // Version 9, with a field that we do not know.
                let newer = [0, 9] + data.encoded(version: version).dropFirst(2) + [1, 2, 3]
                #expect(try type.init(decoding: newer) == data)
            }
        }
    }

    @Test(arguments: types.indices)
    func garbageIsAnErrorOrAValueAndNeverTraps(_ index: Int) {
        spoil(types[index])
    }

    private func spoil<Data: ConsumerData>(_ type: Data.Type) {
        for version in type.versions {
            for seed in 0..<300 as Range<UInt64> {
                var source = RandomSource(seed: seed, longArrays: 0)
                var bytes = type.random(&source, version).encoded(version: version)
                bytes.removeLast(source.below(bytes.count))
                for _ in 0..<source.below(4) where !bytes.isEmpty {
                    bytes[source.below(bytes.count)] = UInt8(source.below(256))
                }
                guard let data = try? type.init(decoding: bytes) else { continue }
                #expect((try? type.init(decoding: data.encoded(version: 3))) == data)
            }
            #expect(throws: WireError.self) { try type.init(decoding: []) }
            #expect(throws: WireError.self) { try type.init(decoding: [0]) }
        }
    }

    @Test func aTruncatedAssignmentIsAnError() throws {
        var source = RandomSource(seed: 3, longArrays: 0)
        let bytes = ConsumerProtocolAssignment.random(&source, 0).encoded(version: 0)
        for count in bytes.indices {
            #expect(throws: WireError.self) { try ConsumerProtocolAssignment(decoding: Array(bytes[..<count])) }
        }
    }

    @Test func hostileCountsAndVersionsAreRefused() {
        #expect(subscriptionFailure("0000 3b9aca00 0001 74")?.code == .malformedMessage)
        #expect(subscriptionFailure("0001 00000000 ffffffff 7fffffff 0001 74 00000000")?.code == .malformedMessage)
        #expect(subscriptionFailure("0000 ffffffff ffffffff")?.code == .malformedMessage, "no null topics")
        #expect(subscriptionFailure("0000 00000000 fffffffe")?.code == .malformedMessage)
        #expect(subscriptionFailure("ffff 00000000 ffffffff")?.code == .unsupportedVersion)
    }

    private func subscriptionFailure(_ digits: String) -> WireError? {
        do throws(WireError) {
            _ = try ConsumerProtocolSubscription(decoding: hex(digits))
            return nil
        } catch { return error }
    }

    @Test func aSubscriptionMayEndWhereItsVersionsOwnFieldsBegin() throws {
        // Version 3: topic "t", user data aa, owned t-5, generation 7, rack "r".
        let bytes = hex("0003 00000001 0001 74 00000001 aa 00000001 0001 74 00000001 00000005 00000007 0001 72")
        var whole = ConsumerProtocolSubscription()
        whole.topics = ["t"]
        whole.userData = [0xAA]
        let version0 = whole
        whole.ownedPartitions = [TopicPartitions(topic: "t", partitions: [5])]
        let version1 = whole
        whole.generationId = 7
        let version2 = whole
        whole.rackId = "r"
        for (size, expected) in [(14, version0), (29, version1), (33, version2), (36, whole)] {
            #expect(try ConsumerProtocolSubscription(decoding: Array(bytes[..<size])) == expected, "\(size) bytes")
        }
        for size in bytes.indices where ![14, 29, 33].contains(size) {
            #expect(throws: WireError.self) { try ConsumerProtocolSubscription(decoding: Array(bytes[..<size])) }
        }
        #expect(whole.encoded() == bytes)
    }
}
