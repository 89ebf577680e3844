import Bytes
import Telemetry

/// Which slot of a skeleton is which field, as the parser of a format sees lines of that skeleton.
///
/// It is found by letting the parser read one line that has a mark in each slot: what it gives as a field's value is the
/// slot.
struct FieldLayout {
    /// What a field is.
    enum Place: Equatable {
        /// No line of the skeleton has it.
        case absent
        /// The value is the slot's text, unless that has bytes that the parser changes.
        case slot(Int)
        /// Only the parser itself can tell.
        case unknown
    }

    private var fields: [(name: [UInt8], place: Place)] = []
    /// The parser stumbles over such lines, or names are in slots.
    private(set) var isOpaque = false

    /// Finds the layout of a skeleton.
    init(_ format: FieldFormat, _ pieces: [UnsafeRawBufferPointer], _ fieldReader: FieldReader) {
        var line: [UInt8] = []
        for (index, piece) in pieces.enumerated() {
            line.append(contentsOf: piece)
            if index < pieces.count - 1 { line.append(contentsOf: Self.mark(index)) }
        }
        var found: [(name: [UInt8], place: Place)] = []
        var isOpaque = pieces.contains { Self.hasMark($0) }
        let failure = line.withUnsafeBytes { line in
            fieldReader.visit(format, line, keepsEmpty: true, isStrict: true) { name, value in
                if Self.hasMark(name) { isOpaque = true }
                found.append(([UInt8](name), Self.place(of: value)))
                return true
            }
        }
        fields = found
        self.isOpaque = isOpaque || failure != nil
    }

    /// Where a field is. Which of several of one name counts, and whether empty ones do, is the parser's matter.
    func place(of name: [UInt8]) -> Place {
        if isOpaque { return .unknown }
        var found: Place?
        for field in fields where field.name == name {
            if found != nil { return .unknown }
            found = field.place
        }
        return found ?? .absent
    }

    /// The field that a slot is.
    func name(ofSlot slot: Int) -> String? {
        guard !isOpaque, let field = fields.first(where: { $0.place == .slot(slot) }) else { return nil }
        return String(decoding: field.name, as: UTF8.self)
    }

    /// A number that stands in no log: 7707707 and three digits for the slot.
    private static let sign = Array("7707707".utf8)

    private static func mark(_ slot: Int) -> [UInt8] { sign + Array(String(1_000 + slot).utf8.dropFirst()) }

    private static func hasMark(_ text: UnsafeRawBufferPointer) -> Bool {
        sign.withUnsafeBytes { ByteSearch.first($0, in: text) != nil }
    }

    private static func place(of value: UnsafeRawBufferPointer) -> Place {
        guard hasMark(value) else { return .unknown }
        guard value.count == sign.count + 3, value.starts(with: sign) else { return .unknown }
        var slot = 0
        for byte in value[sign.count...] {
            guard byte &- 0x30 < 10 else { return .unknown }
            slot = slot * 10 + Int(byte &- 0x30)
        }
        return .slot(slot)
    }
}

/// Layouts that were found before: chunks of a stream have the same skeletons. Emptied when it has many.
struct FieldLayoutCache {
    private static let maximumLayouts = 4_096
    private var layouts: [Key: FieldLayout] = [:]

    private struct Key: Hashable {
        var format: FieldFormat
        var slots: Int
        var bytes: [UInt8]
    }

    mutating func layout(
        _ format: FieldFormat, _ pieces: [UnsafeRawBufferPointer], _ fieldReader: FieldReader
    ) -> FieldLayout {
        var bytes: [UInt8] = []
        for piece in pieces {
            bytes.append(contentsOf: piece)
            bytes.append(0)
        }
        let key = Key(format: format, slots: pieces.count, bytes: bytes)
        if let known = layouts[key] { return known }
        if layouts.count >= Self.maximumLayouts { layouts.removeAll() }
        let layout = FieldLayout(format, pieces, fieldReader)
        layouts[key] = layout
        return layout
    }
}
