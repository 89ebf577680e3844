/// Writes the files that know every API: the table of keys, and random messages for the tests.
enum IndexEmitter {
    static func emitKeys(_ apis: [API]) -> String {
        var text = SwiftText(header: generatedHeader(from: "Declarations/"))
        text.documentation("The APIs whose messages can be encoded and decoded.")
        text.block("public enum ApiKey: Int16, Sendable, CaseIterable") { text in
            for api in apis {
                text.documentation("\(api.name), key \(api.key).")
                text.line("case \(api.name.lowercasedFirst) = \(api.key)")
            }
            text.line()
            emitProperty("Kafka's name of the API.", "name: String", apis, &text) { "\"\($0.name)\"" }
            text.line()
            emitProperty(
                "The versions that can be encoded and decoded.", "versions: ClosedRange<Int16>", apis, &text
            ) { "\($0.versions.lowerBound)...\($0.versions.upperBound)" }
            text.line()
            emitProperty("The request's type.", "request: any KafkaRequest.Type", apis, &text) {
                "\($0.name)Request.self"
            }
            text.line()
            emitProperty("The response's type.", "response: any KafkaResponse.Type", apis, &text) {
                "\($0.name)Response.self"
            }
            text.line()
            emitHeaderVersions(apis, &text)
        }
        return text.text
    }

    private static func emitProperty(
        _ documentation: String, _ signature: String, _ apis: [API], _ text: inout SwiftText, _ value: (API) -> String
    ) {
        text.documentation(documentation)
        text.block("public var \(signature)") { text in
            text.line("switch self {")
            for api in apis { text.line("case .\(api.name.lowercasedFirst): \(value(api))") }
            text.line("}")
        }
    }

    private static func emitHeaderVersions(_ apis: [API], _ text: inout SwiftText) {
        text.documentation("The version of the request's header: 2 in flexible versions, else 1.")
        text.block("public func requestHeaderVersion(_ version: Int16) -> Int16") { text in
            text.line("switch self {")
            for api in apis {
                text.line("case .\(api.name.lowercasedFirst): \(api.name)Request.headerVersion(version)")
            }
            text.line("}")
        }
    }
}

extension IndexEmitter {
    static func emitRandomMessages(_ apis: [API]) -> String {
        var text = SwiftText(header: generatedHeader(from: "Sources/KafkaWire/Declarations/"))
        text.line("import KafkaWire")
        text.line()
        let messages = apis.flatMap { [$0.request, $0.response] }
        text.line("/// Every message, for tests that go over all of them.")
        text.line("let randomMessageTypes: [any RandomMessage.Type] = [")
        for message in messages { text.line("    \(message.name).self,") }
        text.line("]")
        for message in messages {
            text.line()
            text.block("extension \(message.name): RandomMessage") { text in emitRandom(message, &text) }
            for structure in message.nested {
                text.line()
                text.block("extension \(message.name).\(structure.name): RandomValue") { text in
                    emitRandom(structure, &text)
                }
            }
        }
        return text.text
    }

    private static func emitRandom(_ structure: Structure, _ text: inout SwiftText) {
        text.block("static func random(_ source: inout RandomSource, _ version: Int16) -> Self") { text in
            text.line("var value = Self()")
            for field in structure.fields {
                text.conditional(versionCondition(field.versions, within: structure.versions)) { text in
                    text.line("value.\(swiftIdentifier(field.name)) = \(random(field))")
                }
            }
            text.line("return value")
        }
        guard structure.holdsRecords else { return }
        text.line()
        text.block("mutating func takeRecords(from frame: UnsafeRawBufferPointer)") { text in
            for field in structure.fields where field.type.holdsRecords { emitTaking(field, &text) }
        }
    }

    private static func emitTaking(_ field: Field, _ text: inout SwiftText) {
        if case .array = field.type {
            text.line("for index in \(field.name).indices { \(field.name)[index].takeRecords(from: frame) }")
        } else {
            text.line("\(field.name).takeRecords(from: frame)")
        }
    }

    private static func random(_ field: Field) -> String {
        guard let from = field.nullableFrom, field.isOptional else { return random(field.type) }
        let value = "source.chance(4) ? nil : \(random(field.type))"
        return from <= field.versions.lowerBound
            ? value : "version >= \(from) && source.chance(4) ? nil : \(random(field.type))"
    }

    private static func random(_ type: FieldType) -> String {
        switch type {
        case .array(.structure): "source.array { .random(&$0, version) }"
        case .array(let element): "source.array { source in \(random(element)) }"
        case .structure: ".random(&source, version)"
        case .error: "ErrorCode(rawValue: source.integer())"
        case .uuid: "source.uuid()"
        case .bool: "source.chance(2)"
        case .float64: "Double(source.integer() as Int32)"
        case .string: "source.string()"
        case .bytes: "source.bytes()"
        case .records: "source.records()"
        case .int8, .int16, .int32, .int64, .uint16, .uint32: "source.integer()"
        }
    }
}

extension String {
    var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
