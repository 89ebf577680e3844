import Bytes

/// What is asked of a text: whether it is, begins with, ends with or holds another.
struct TextTest {
    enum Place {
        case equal, prefix, suffix, contained
    }

    var place: Place
    /// Valid while the test is in use. In lower case if case is ignored.
    var text: UnsafeRawBufferPointer
    /// ASCII letters of either case are alike.
    var ignoresCase: Bool

    func with(_ place: Place, _ range: Range<Int>) -> TextTest {
        TextTest(place: place, text: UnsafeRawBufferPointer(rebasing: text[range]), ignoresCase: ignoresCase)
    }

    /// Whether one text satisfies it.
    func holds(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard text.count <= bytes.count else { return false }
        switch place {
        case .equal: return text.count == bytes.count && agrees(text, bytes)
        case .prefix: return agrees(text, UnsafeRawBufferPointer(rebasing: bytes[..<text.count]))
        case .suffix: return agrees(text, UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - text.count)...]))
        case .contained: return first(in: bytes) != nil
        }
    }

    /// Whether a part of the wanted text is the same as some bytes.
    func agrees(_ part: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard ignoresCase else { return ByteSearch.areEqual(part, bytes) }
        guard part.count == bytes.count else { return false }
        for index in 0..<part.count where part[index] != Self.lower(bytes[index]) { return false }
        return true
    }

    /// Where the text first occurs.
    func first(in bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        guard ignoresCase, let first = text.first else { return ByteSearch.first(text, in: bytes, from: start) }
        var place = start
        while text.count <= bytes.count - place {
            if Self.lower(bytes[place]) == first,
                agrees(text, UnsafeRawBufferPointer(rebasing: bytes[place..<place + text.count]))
            {
                return place
            }
            place += 1
        }
        return nil
    }

    @inline(__always)
    static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Whether texts of such lengths and characters can satisfy it at all.
    func canHold(shortest: Int, longest: Int, characters: ByteSet?) -> Bool {
        guard text.count <= longest, place != .equal || text.count >= shortest else { return false }
        guard let characters else { return true }
        return (ignoresCase ? characters.ignoringCase : characters).isSuperset(of: ByteSet(small: text))
    }
}
