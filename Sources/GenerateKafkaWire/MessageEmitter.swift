/// Writes the Swift file of one API.
struct MessageEmitter {
    let api: API

    static func emit(_ api: API) -> String {
        let emitter = MessageEmitter(api: api)
        var text = SwiftText(header: generatedHeader(from: "Declarations/\(api.fileName).kafka"))
        text.line("public import Bytes")
        text.line()
        emitter.emitMessage(api.request, isRequest: true, &text)
        text.line()
        emitter.emitMessage(api.response, isRequest: false, &text)
        return text.text
    }

    private func emitMessage(_ message: Structure, isRequest: Bool, _ text: inout SwiftText) {
        let flexible = api.flexibleFrom.map { "flexible from version \($0)" } ?? "no flexible version"
        text.documentation(
            "Kafka's \(message.name): API key \(api.key), versions \(api.versions.lowerBound) to "
                + "\(api.versions.upperBound), \(flexible).")
        text.block("public struct \(message.name): \(isRequest ? "KafkaRequest" : "KafkaResponse")") { text in
            if isRequest {
                text.documentation("What the broker answers.")
                text.line("public typealias Response = \(api.name)Response")
                text.line()
            }
            emitVersions(isRequest: isRequest, &text)
            emitProperties(of: message, isMessage: true, &text)
            text.line()
            text.documentation("A message with Kafka's defaults.")
            text.line("public init() {}")
            text.line()
            emitPublicCoding(message, &text)
            emitDecoding(of: message, name: "fields", &text)
            text.line()
            emitEncoding(of: message, name: "encodeFields", &text)
            for structure in message.nested {
                text.line()
                emitStructure(structure, &text)
            }
        }
    }

    private func emitVersions(isRequest: Bool, _ text: inout SwiftText) {
        text.documentation("The API key.")
        text.line("public static var apiKey: Int16 { \(api.key) }")
        text.documentation("The versions that can be encoded and decoded.")
        text.line(
            "public static var versions: ClosedRange<Int16> { \(api.versions.lowerBound)...\(api.versions.upperBound) }"
        )
        text.documentation("Whether a version has compact lengths and tagged fields.")
        text.block("public static func isFlexible(_ version: Int16) -> Bool") { text in
            text.line(api.flexibleFrom.map { "version >= \($0)" } ?? "false")
        }
        text.documentation("The version of the header in front of this message.")
        text.block("public static func headerVersion(_ version: Int16) -> Int16") { text in
            if isRequest {
                text.line("isFlexible(version) ? 2 : 1")
            } else {
                text.line(api.hasPlainResponseHeader ? "0" : "isFlexible(version) ? 1 : 0")
            }
        }
    }

    private func emitPublicCoding(_ message: Structure, _ text: inout SwiftText) {
        text.documentation("Decodes a body; see `KafkaMessage`.")
        text.block("public init(decoding reader: inout ByteReader, version: Int16) throws(WireError)") { text in
            text.block("guard \(message.name).versions.contains(version) else") { text in
                text.line("throw .version(\"\(message.name)\", version, \(message.name).versions)")
            }
            text.line("do throws(BytesError) {")
            text.line("    try self.init(fields: &reader, version: version)")
            text.line("} catch {")
            text.line("    throw .decoding(\"\(message.name)\", version: version, error)")
            text.line("}")
        }
        text.line()
        text.documentation("Appends the body; see `KafkaMessage`.")
        text.block("public func encode(into writer: inout ByteWriter, version: Int16)") { text in
            text.line("precondition(\(message.name).versions.contains(version), \"\(message.name): unknown version\")")
            text.line("encodeFields(into: &writer, version: version)")
        }
        text.line()
    }

    private func emitStructure(_ structure: Structure, _ text: inout SwiftText) {
        text.documentation(structure.documentation)
        text.block("public struct \(structure.name): Sendable, Equatable") { text in
            emitProperties(of: structure, &text)
            text.line()
            text.documentation("A value with Kafka's defaults.")
            text.line("public init() {}")
            text.line()
            emitDecoding(of: structure, name: "fields", &text)
            text.line()
            emitEncoding(of: structure, name: "encodeFields", &text)
        }
    }

    private func emitProperties(of structure: Structure, isMessage: Bool = false, _ text: inout SwiftText) {
        for (index, field) in structure.fields.enumerated() {
            if index > 0 || isMessage { text.line() }
            let range = versionNote(field, in: structure)
            text.documentation(field.documentation + (range.isEmpty ? "" : " \(range)"))
            let optional = field.isOptional ? "?" : ""
            let value = field.initialText
            // Swift sets an optional to nil by itself.
            let assignment = value == "nil" ? "" : " = \(value)"
            text.line("public var \(swiftIdentifier(field.name)): \(field.type.swiftName)\(optional)\(assignment)")
        }
    }

    private func versionNote(_ field: Field, in structure: Structure) -> String {
        let (lower, upper) = (field.versions.lowerBound, field.versions.upperBound)
        let since = lower > structure.versions.lowerBound
        switch (since, upper < structure.versions.upperBound) {
        case (false, false): return ""
        case (true, false): return "Since version \(lower)."
        case (false, true): return "Up to version \(upper)."
        case (true, true): return "Versions \(lower) to \(upper)."
        }
    }
}

extension Field {
    /// Whether the property is an optional. A `records` field has its own null.
    var isOptional: Bool {
        if case .records = type { return false }
        return nullableFrom != nil
    }

    /// What a fresh value holds: the declared default; else null where every version allows it; else the type's own.
    var initialText: String {
        if let defaultText { return defaultText == "null" ? "nil" : defaultText }
        guard isOptional, let nullableFrom, nullableFrom <= versions.lowerBound else { return type.defaultText }
        return "nil"
    }
}

/// The comment at the top of every generated file.
func generatedHeader(from source: String) -> String {
    """
    // Generated by GenerateKafkaWire from \(source); change that and run `swift run GenerateKafkaWire`.
    // swift-format-ignore-file


    """
}
