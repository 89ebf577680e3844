/// The names of tenants, as Loki takes them in `X-Scope-OrgID`: letters, digits and `!-_.*'()`, at most 150, and not a
/// way through directories.
public enum TenantName {
    /// The tenant of requests that name none: Loki's, where it has a single tenant.
    public static let single = "fake"
    /// The longest name in bytes.
    public static let maximumBytes = 150

    /// Why a header names no tenant; nil if it does.
    public static func refusal(of name: String) -> String? {
        if name.utf8.count > maximumBytes { return "tenant ID is too long: max \(maximumBytes) characters" }
        if name == "." || name == ".." { return "tenant ID is '.' or '..'" }
        if name.utf8.contains(UInt8(ascii: "|")) { return "multiple org IDs present" }
        guard let wrong = name.unicodeScalars.first(where: { !isAllowed($0) }) else { return nil }
        return "tenant ID '\(name)' contains unsupported character '\(wrong)'"
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "!", "-", "_", ".", "*", "'", "(", ")": true
        default: false
        }
    }
}
