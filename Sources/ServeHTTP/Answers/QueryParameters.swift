/// The parameters behind the question mark of a request's target, percent-decoded; `+` is a space. Of equal names the
/// first counts.
struct QueryParameters: Sendable {
    private var values: [String: [[UInt8]]] = [:]

    init(_ query: String?) {
        for part in (query ?? "").utf8.split(separator: UInt8(ascii: "&")) {
            let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(decoding: Self.decoded(sides[0]), as: UTF8.self)
            values[name, default: []].append(sides.count > 1 ? Self.decoded(sides[1]) : [])
        }
    }

    /// The bytes of a parameter; nil if it is absent or empty.
    func bytes(_ name: String) -> [UInt8]? {
        guard let value = values[name]?.first, !value.isEmpty else { return nil }
        return value
    }

    /// A parameter as text; nil if it is absent or empty.
    subscript(name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

    /// All values of a parameter that may stand there several times, in their order.
    func all(_ name: String) -> [String] { (values[name] ?? []).map { String(decoding: $0, as: UTF8.self) } }

    private static func decoded(_ text: some Sequence<UInt8>) -> [UInt8] {
        var (result, rest) = ([UInt8](), Array(text)[...])
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): result.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
                if digits.count == 2 {
                    result.append(UInt8(digits[0] << 4 | digits[1]))
                    rest = rest.dropFirst(2)
                } else {
                    result.append(byte)
                }
            default: result.append(byte)
            }
        }
        return result
    }
}
