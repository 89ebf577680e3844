import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// The header fields that InfluxDB 1.x puts on every answer. Clients look for the version to know what they talk to.
final class InfluxHeaders: Sendable {
    /// The version of InfluxDB whose HTTP interface is served.
    static let version = "1.8.10"

    private let requests = Atomic<UInt64>(0)
    /// What tells this process's requests from others'.
    private let origin = UInt64(NIODeadline.now().uptimeNanoseconds)

    /// The fields of an answer to `request`. The request's own id is kept, as InfluxDB does.
    func fields(for request: Request) -> HTTPFields {
        let given = request.headers[.requestID] ?? request.headers[.xRequestID]
        let id = given.map { String($0.prefix(128)) } ?? nextID()
        return [
            .contentType: "application/json", .requestID: id, .xRequestID: id, .influxBuild: "OSS",
            .influxVersion: Self.version,
        ]
    }

    /// An id in the form of a UUID of version 8, whose content is the maker's business.
    private func nextID() -> String {
        let number = requests.wrappingAdd(1, ordering: .relaxed).newValue
        return String(unsafeUninitializedCapacity: 36) { text in
            var count = 0
            func append(_ byte: UInt8) {
                text.initializeElement(at: count, to: byte)
                count += 1
            }
            /// Some of the 16 digits of a number.
            func append(_ number: UInt64, _ digits: Range<UInt64>) {
                for digit in digits {
                    let value = UInt8(truncatingIfNeeded: number >> (60 - digit * 4)) & 15
                    append(value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
                }
            }
            append(origin, 0..<8)
            append(UInt8(ascii: "-"))
            append(origin, 8..<12)
            for byte in "-8".utf8 { append(byte) }
            append(origin, 13..<16)
            for byte in "-8".utf8 { append(byte) }
            append(number, 1..<4)
            append(UInt8(ascii: "-"))
            append(number, 4..<16)
            return count
        }
    }
}

extension HTTPField.Name {
    static let requestID = HTTPField.Name("Request-Id")!
    static let xRequestID = HTTPField.Name("X-Request-Id")!
    static let influxBuild = HTTPField.Name("X-Influxdb-Build")!
    static let influxVersion = HTTPField.Name("X-Influxdb-Version")!
    static let influxError = HTTPField.Name("X-Influxdb-Error")!
}
