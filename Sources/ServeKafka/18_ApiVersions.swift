// ApiVersions (18): served 0 to 4.
//
// A version that is not served is answered in the form of version 0 with UNSUPPORTED_VERSION and the versions of
// ApiVersions itself (KIP-511), and the connection stays open: clients then try again with one of those.
// Deviation from Kafka: no features are told, supported or finalized.

import Bytes
import KafkaWire

extension KafkaConnection {
    /// Answers what is served. The only request whose version may be any.
    func apiVersions(_ reader: inout ByteReader, version: Int16) throws(WireError) -> Outcome {
        var response = ApiVersionsResponse()
        guard ApiVersionsRequest.versions.contains(version) else {
            response.errorCode = .unsupportedVersion
            response.apiKeys = [Self.advertised(.apiVersions)]
            broker.instruments.countError(.apiVersions, response.errorCode.name)
            var writer = ByteWriter()
            response.encode(into: &writer, version: 0)
            return .answered(.bytes(writer.array()))
        }
        let request = try ApiVersionsRequest(decoding: &reader, version: version)
        if version >= 3 {
            guard isSoftwareName(request.clientSoftwareName), isSoftwareName(request.clientSoftwareVersion) else {
                response.errorCode = .invalidRequest
                broker.instruments.countError(.apiVersions, response.errorCode.name)
                return .answered(.other(response))
            }
            broker.instruments.countClient(
                name: String(request.clientSoftwareName.prefix(64)),
                version: String(request.clientSoftwareVersion.prefix(64)))
        }
        response.apiKeys = ServedAPI.allCases.map(Self.advertised)
        return .answered(.other(response))
    }

    private static func advertised(_ api: ServedAPI) -> ApiVersionsResponse.ApiVersion {
        var answer = ApiVersionsResponse.ApiVersion()
        answer.apiKey = api.rawValue
        answer.minVersion = api.versions.lowerBound
        answer.maxVersion = api.versions.upperBound
        return answer
    }

    /// KIP-511: letters, digits, `-` and `.`, beginning and ending with a letter or digit.
    private func isSoftwareName(_ name: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        guard let first = name.utf8.first, let last = name.utf8.last, isAlphanumeric(first), isAlphanumeric(last) else {
            return false
        }
        return name.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }
}
