import Bytes

/// What clients put into the metadata of groups of type "consumer". Only the beginning is read, which every version
/// shares: a version, then the subscribed topics.
///
///     | version i16 | topics i32 | each: length i16, name | user data …
enum ConsumerProtocol {
    /// The protocol type of consumer groups.
    static let type = "consumer"

    /// The topics that a member subscribes to; nil if the bytes are no such metadata.
    static func subscribedTopics(_ metadata: [UInt8]) -> [String]? {
        try? metadata.withBytes { bytes throws(BytesError) in
            var reader = ByteReader(bytes)
            guard try reader.int16() >= 0 else { throw BytesError(code: .malformed, message: "a negative version") }
            let count = try reader.arrayCount(compact: false, minimumElementBytes: 2)
            var topics: [String] = []
            for _ in 0..<count { topics.append(try reader.string(compact: false)) }
            return topics
        }
    }
}
