internal import CPCRE2
internal import Synchronization

/// A regular expression in RE2's syntax, as Go's programs take it. Any thread may match; nothing is shared but the code.
///
/// RE2 runs in linear time and PCRE2, which runs here, does not: a match that would take too long is given up, and then
/// the query fails instead of hanging.
public final class Pattern: Sendable {
    /// The longest pattern, in bytes.
    public static let maximumBytes = 16 * 1024
    /// The most steps of one match. PCRE2's own default is 10,000,000, seconds long.
    static let maximumSteps: UInt32 = 500_000

    /// The pattern as given.
    public let text: String

    struct Handles: @unchecked Sendable {
        // Safe because PCRE2 never changes compiled code or a match context while it matches.
        let code: OpaquePointer
        let context: OpaquePointer
    }

    let handles: Handles
    private let gaveUpFlag = Atomic(false)

    /// The names of the groups, in the order of their parentheses; nil for a group without one.
    public let groupNames: [String?]

    /// Compiles a pattern.
    ///
    /// - Throws: `syntax` with the words of Go's regexp.
    public init(_ text: String) throws(PatternError) {
        self.text = text
        var translation = PatternTranslation(text)
        let translated = try translation.translate()
        var failure: Int32 = 0
        var offset = 0
        guard let compileContext = pcre2_compile_context_create_8(nil) else {
            throw PatternError(.limitReached, "out of memory")
        }
        defer { pcre2_compile_context_free_8(compileContext) }
        pcre2_set_newline_8(compileContext, UInt32(PCRE2_NEWLINE_LF))
        pcre2_set_parens_nest_limit_8(compileContext, 250)
        let options = UInt32(
            PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_DUPNAMES)
        let code = translated.withUnsafeBufferPointer { buffer in
            pcre2_compile_8(buffer.baseAddress, buffer.count, options, &failure, &offset, compileContext)
        }
        guard let code else {
            throw PatternError(
                .syntax, "error parsing regexp: " + patternFailure(failure, at: offset, in: translated, text: text))
        }
        // Without the JIT (memory that must not execute, say) PCRE2 interprets.
        _ = pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        guard let context = pcre2_match_context_create_8(nil) else {
            pcre2_code_free_8(code)
            throw PatternError(.limitReached, "out of memory")
        }
        pcre2_set_match_limit_8(context, Self.maximumSteps)
        pcre2_set_depth_limit_8(context, 10_000)
        pcre2_set_heap_limit_8(context, 8_192)
        handles = Handles(code: code, context: context)
        groupNames = namesOfGroups(code)
    }

    deinit {
        pcre2_match_context_free_8(handles.context)
        pcre2_code_free_8(handles.code)
    }

    /// Whether the pattern occurs in the bytes. False if the match was given up; then `gaveUp` is true from then on.
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let data = pcre2_match_data_create_8(1, nil) else { return false }
        defer { pcre2_match_data_free_8(data) }
        let subject = bytes.bindMemory(to: UInt8.self)
        var nothing: UInt8 = 0
        let outcome = withUnsafePointer(to: &nothing) { empty in
            pcre2_match_8(handles.code, subject.baseAddress ?? empty, subject.count, 0, 0, data, handles.context)
        }
        // 0 is a match with more groups than there is room for.
        if outcome >= 0 { return true }
        if outcome != PCRE2_ERROR_NOMATCH { giveUp() }
        return false
    }

    func giveUp() { gaveUpFlag.store(true, ordering: .relaxed) }

    /// Whether the pattern occurs in the bytes.
    public func matches(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes(matches) }

    /// Whether a match was given up because it took too many steps or too much memory.
    public var gaveUp: Bool { gaveUpFlag.load(ordering: .relaxed) }

    /// What to tell of a pattern that gave up.
    public var exhaustion: PatternError {
        PatternError(.limitReached, "regular expression takes too many steps: \(text.prefix(200))")
    }
}

/// What Go's regexp says of what PCRE2 refuses.
private func patternFailure(_ code: Int32, at offset: Int, in translated: [UInt8], text: String) -> String {
    switch code {
    case 101: return "trailing backslash at end of expression: ``"
    case 106: return "missing closing ]: `\(text[(text.firstIndex(of: "[") ?? text.startIndex)...])`"
    case 109:
        let place = max(0, min(offset, translated.count) - 1)
        let symbol = translated.isEmpty ? "" : String(decoding: [translated[place]], as: UTF8.self)
        return "missing argument to repetition operator: `\(symbol)`"
    case 142: return "invalid named capture: `\(text)`"
    case 114: return "missing closing ): `\(text)`"
    case 122: return "unexpected ): `\(text)`"
    default:
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = buffer.withUnsafeMutableBufferPointer {
            pcre2_get_error_message_8(code, $0.baseAddress, $0.count)
        }
        let message = length > 0 ? String(decoding: buffer.prefix(Int(length)), as: UTF8.self) : "invalid"
        return "\(message): `\(text)`"
    }
}
