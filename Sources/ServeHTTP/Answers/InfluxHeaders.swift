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
        let (high, low) = (hexadecimal(origin), hexadecimal(number))
        return
            "\(high.prefix(8))-\(high.dropFirst(8).prefix(4))-8\(high.suffix(3))-8\(low.prefix(4).suffix(3))-\(low.suffix(12))"
    }

    private func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension HTTPField.Name {
    static let requestID = HTTPField.Name("Request-Id")!
    static let xRequestID = HTTPField.Name("X-Request-Id")!
    static let influxBuild = HTTPField.Name("X-Influxdb-Build")!
    static let influxVersion = HTTPField.Name("X-Influxdb-Version")!
    static let influxError = HTTPField.Name("X-Influxdb-Error")!
}
