internal import CPCRE2

/// Matches a pattern again and again, without taking memory for each match, and tells where its groups matched. For one
/// thread.
public final class PatternMatcher {
    /// The pattern.
    public let pattern: Pattern
    private let data: OpaquePointer?

    /// A matcher.
    public init(_ pattern: Pattern) {
        self.pattern = pattern
        data = pcre2_match_data_create_8(UInt32(pattern.groupNames.count + 1), nil)
    }

    deinit {
        pcre2_match_data_free_8(data)
    }

    /// Looks for the first match at or behind `start`. False if there is none, or if it was given up (then the pattern's
    /// `gaveUp` is true from then on).
    public func matches(_ bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Bool {
        guard let data, start <= bytes.count else { return false }
        let subject = bytes.bindMemory(to: UInt8.self)
        var nothing: UInt8 = 0
        let outcome = withUnsafePointer(to: &nothing) { empty in
            pcre2_match_8(
                pattern.handles.code, subject.baseAddress ?? empty, subject.count, start, 0, data,
                pattern.handles.context)
        }
        if outcome >= 0 { return true }
        if outcome != PCRE2_ERROR_NOMATCH { pattern.giveUp() }
        return false
    }

    /// Where the last match is: group 0 is the whole, 1 the first parenthesis. Nil if the group took no part.
    public func range(of group: Int) -> Range<Int>? {
        guard let data, group <= pattern.groupNames.count, let places = pcre2_get_ovector_pointer_8(data) else {
            return nil
        }
        let (start, end) = (places[2 * group], places[2 * group + 1])
        guard start >= 0, start <= end else { return nil }
        return start..<end
    }
}

/// The names of a pattern's groups, nil for those without.
func namesOfGroups(_ code: OpaquePointer) -> [String?] {
    var count: UInt32 = 0
    var named: UInt32 = 0
    var entrySize: UInt32 = 0
    var table: UnsafePointer<UInt8>?
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &named)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &entrySize)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
    var names = [String?](repeating: nil, count: Int(count))
    guard let table else { return names }
    for index in 0..<Int(named) {
        // Two bytes of number, then the name and a zero.
        let entry = table + index * Int(entrySize)
        let number = Int(entry[0]) << 8 | Int(entry[1])
        guard number >= 1, number <= names.count else { continue }
        names[number - 1] = String(cString: entry + 2)
    }
    return names
}
