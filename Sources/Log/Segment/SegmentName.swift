/// The names of a segment's files: the base offset in 20 digits, and what the file is.
enum SegmentName {
    enum Kind: String, CaseIterable {
        case log
        case index
        case timeindex
        case snapshot
    }

    /// The suffix of files that are on their way out; a start removes them.
    static let deleted = ".deleted"
    /// The suffix of bytes that were set aside because they do not verify; nothing removes them.
    static let quarantine = ".quarantine"
    /// The suffix of a file that is not complete yet; a start removes it.
    static let unfinished = ".new"

    static func file(_ baseOffset: Int64, _ kind: Kind) -> String {
        let digits = String(baseOffset)
        return String(repeating: "0", count: 20 - digits.utf8.count) + digits + "." + kind.rawValue
    }

    /// The base offset, if `name` is the name of a file of this kind.
    static func baseOffset(of name: String, _ kind: Kind) -> Int64? {
        let suffix = "." + kind.rawValue
        guard name.hasSuffix(suffix), name.utf8.count == 20 + suffix.utf8.count else { return nil }
        guard name.utf8.prefix(20).allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int64(name.prefix(20))
    }
}
