/// The parameters behind the question mark of a request's target, percent-decoded; `+` is a space. Of equal names the
/// first counts.
struct QueryParameters: Sendable {
    private var values: [(name: String, value: [UInt8])] = []

    init(_ query: String?) {
        for part in (query ?? "").utf8.split(separator: UInt8(ascii: "&")) {
            let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(decoding: Self.decoded(sides[0]), as: UTF8.self)
            values.append((name, sides.count > 1 ? Self.decoded(sides[1]) : []))
        }
    }

    /// The bytes of a parameter; nil if it is absent or empty.
    func bytes(_ name: String) -> [UInt8]? {
        guard let value = values.first(where: { $0.name == name })?.value, !value.isEmpty else { return nil }
        return value
    }

    /// A parameter as text; nil if it is absent or empty.
    subscript(name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

    /// All values of a parameter that may stand there several times, in their order.
    func all(_ name: String) -> [String] {
        values.filter { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    private static func decoded(_ text: Substring.UTF8View) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: text.count) { result, count in
            var rest = text[...]
            while let byte = rest.popFirst() {
                var decoded = byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte
                if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(digit),
                    let low = rest.dropFirst().first.flatMap(digit)
                {
                    decoded = high << 4 | low
                    rest = rest.dropFirst(2)
                }
                result[count] = decoded
                count += 1
            }
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
