import KafkaWire
import Testing

struct UuidTests {
    @Test func textIsUnpaddedBase64OfTheBytes() {
        // printf '\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10' | basenc --base64url
        let uuid = Uuid(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
        #expect(uuid.description == "ASNFZ4mrze_-3LqYdlQyEA")
        #expect(Uuid("ASNFZ4mrze_-3LqYdlQyEA") == uuid)
        #expect(Uuid("ASNFZ4mrze_-3LqYdlQyEA==") == uuid)
        #expect(Uuid.zero.description == "AAAAAAAAAAAAAAAAAAAAAA")
        #expect(Uuid(high: .max, low: .max).description == "_____________________w")
    }

    @Test(arguments: [
        "", "ASNFZ4mrze_-3LqYdlQyE", "ASNFZ4mrze_-3LqYdlQyEB", "ASNFZ4mrze/+3LqYdlQyEA", "ASNFZ4mrze_-3LqYdlQyEAA",
    ])
    func otherTextIsRefused(_ text: String) {
        #expect(Uuid(text) == nil)
    }

    @Test func everyRandomOneComesBackFromItsText() {
        var source = RandomSource(seed: 1)
        for _ in 0..<1000 {
            let uuid = Uuid(randomBits: source.next(), source.next())
            #expect(Uuid(uuid.description) == uuid)
            #expect(!uuid.description.hasPrefix("-"))
            #expect(uuid.high >> 12 & 15 == 4)
            #expect(uuid.low >> 62 == 2)
        }
        #expect(Uuid(randomBits: 62 << 58, 0).description.first != "-")
    }
}
