// The two directions of a structure's bytes.

extension MessageEmitter {
    /// `flexible` in generated code: a constant where all or none of the structure's versions are flexible.
    private func flexibleText(in structure: Structure) -> String {
        guard let from = api.flexibleFrom, from <= structure.versions.upperBound else { return "false" }
        return from <= structure.versions.lowerBound ? "true" : "flexible"
    }

    private func emitFlexible(of structure: Structure, _ text: inout SwiftText) {
        guard flexibleText(in: structure) == "flexible", let from = api.flexibleFrom else { return }
        text.line("let flexible = version >= \(from)")
    }

    private func flexibleCondition(in structure: Structure) -> String? {
        flexibleText(in: structure) == "true" ? nil : "flexible"
    }

    func emitDecoding(of structure: Structure, name: String, _ text: inout SwiftText) {
        text.block("init(\(name) reader: inout ByteReader, version: Int16) throws(BytesError)") { text in
            emitFlexible(of: structure, &text)
            for field in structure.fields where field.tag == nil {
                text.conditional(versionCondition(field.versions, within: structure.versions)) { text in
                    text.line("\(swiftIdentifier(field.name)) = \(decoding(field, in: structure))")
                }
            }
            guard flexibleText(in: structure) != "false" else { return }
            text.conditional(flexibleCondition(in: structure)) { text in
                emitTaggedDecoding(of: structure, &text)
            }
        }
    }

    private func emitTaggedDecoding(of structure: Structure, _ text: inout SwiftText) {
        let tagged = structure.fields.filter { $0.tag != nil }
        guard !tagged.isEmpty else { return text.line("try reader.skipTaggedFields()") }
        text.block("for _ in 0..<(try reader.unsignedVarint())") { text in
            text.line("let (tag, end) = try reader.beginTaggedField()")
            text.line("switch tag {")
            for field in tagged {
                let condition = versionCondition(field.versions, within: flexibleVersions(of: structure))
                let pattern = condition.map { " where " + $0.split(separator: ", ").joined(separator: " && ") } ?? ""
                text.line("case \(field.tag ?? 0)\(pattern):")
                text.line("    \(swiftIdentifier(field.name)) = \(decoding(field, in: structure))")
            }
            text.line("default: try reader.skip(end - reader.position)")
            text.line("}")
            text.line("try reader.endTaggedField(at: end)")
        }
    }

    private func flexibleVersions(of structure: Structure) -> ClosedRange<Int16> {
        max(structure.versions.lowerBound, api.flexibleFrom ?? 0)...structure.versions.upperBound
    }

    private func decoding(_ field: Field, in structure: Structure) -> String {
        let compact = flexibleText(in: structure)
        let nullable = decoding(field.type, nullable: true, compact, field.versions)
        let plain = decoding(field.type, nullable: false, compact, field.versions)
        guard let from = field.nullableFrom else { return plain }
        if from <= field.versions.lowerBound { return nullable }
        return "version >= \(from) ? \(nullable) : \(plain)"
    }

    private func decoding(
        _ type: FieldType, nullable: Bool, _ compact: String, _ versions: ClosedRange<Int16>
    ) -> String {
        switch type {
        case .int8, .int16, .int32, .int64, .uint16, .uint32, .bool:
            return "try reader.\(type.swiftName.lowercased())()"
        case .float64: return "try reader.float64()"
        case .string: return "try reader.\(nullable ? "nullableString" : "string")(compact: \(compact))"
        case .bytes: return "try reader.\(nullable ? "nullableBytes" : "bytes")(compact: \(compact))"
        case .records: return "try RecordsField(decoding: &reader, compact: \(compact))"
        case .uuid: return "try Uuid(decoding: &reader)"
        case .error: return "ErrorCode(rawValue: try reader.int16())"
        case .structure(let structure):
            let value = "try \(structure.name)(fields: &reader, version: version)"
            return nullable ? "try reader.int8() < 0 ? nil : \(value)" : value
        case .array(let element):
            let minimum = element.minimumBytes(api, in: versions)
            let body = decoding(element, nullable: false, compact, versions)
            return "try reader.\(nullable ? "nullableArray" : "array")(compact: \(compact), minimumElementBytes: "
                + "\(minimum)) { (reader: inout ByteReader) throws(BytesError) in \(body) }"
        }
    }
}

extension MessageEmitter {
    func emitEncoding(of structure: Structure, name: String, _ text: inout SwiftText) {
        text.block("func \(name)(into writer: inout ByteWriter, version: Int16)") { text in
            emitFlexible(of: structure, &text)
            for field in structure.fields where field.tag == nil {
                text.conditional(versionCondition(field.versions, within: structure.versions)) { text in
                    text.line(encoding(field, in: structure))
                }
            }
            guard flexibleText(in: structure) != "false" else { return }
            text.conditional(flexibleCondition(in: structure)) { text in
                emitTaggedEncoding(of: structure, &text)
            }
        }
    }

    private func emitTaggedEncoding(of structure: Structure, _ text: inout SwiftText) {
        let tagged = structure.fields.filter { $0.tag != nil }.sorted { ($0.tag ?? 0) < ($1.tag ?? 0) }
        guard !tagged.isEmpty else { return text.line("writer.writeUnsignedVarint(0)") }
        for field in tagged {
            let condition = versionCondition(field.versions, within: flexibleVersions(of: structure))
            let version = condition.map { $0.split(separator: ", ").joined(separator: " && ") + " && " } ?? ""
            text.line("let has\(field.name.capitalizedFirst) = \(version)\(isSet(field))")
        }
        let count = tagged.map { "(has\($0.name.capitalizedFirst) ? 1 : 0)" }.joined(separator: " + ")
        text.line("writer.writeUnsignedVarint(\(count))")
        for field in tagged {
            text.block("if has\(field.name.capitalizedFirst)") { text in
                text.line("writer.writeTaggedField(\(field.tag ?? 0)) { writer in \(encoding(field, in: structure)) }")
            }
        }
    }

    /// The test whether a tagged field differs from its default, and so must be written.
    private func isSet(_ field: Field) -> String {
        let name = swiftIdentifier(field.name)
        if field.initialText == "[]", !field.isOptional { return "!\(name).isEmpty" }
        if field.initialText == "false" { return name }
        return "\(name) != \(field.initialText)"
    }

    private func encoding(_ field: Field, in structure: Structure) -> String {
        let compact = flexibleText(in: structure)
        let name = swiftIdentifier(field.name)
        guard let from = field.nullableFrom, from > field.versions.lowerBound else {
            return encoding(field.type, name, nullable: field.isOptional, compact)
        }
        // Older versions have no null; Kafka's default stands in for it.
        let older = encoding(field.type, "\(name) ?? \(field.type.defaultText)", nullable: false, compact)
        return "if version >= \(from) { \(encoding(field.type, name, nullable: true, compact)) } else { \(older) }"
    }

    private func encoding(_ type: FieldType, _ value: String, nullable: Bool, _ compact: String) -> String {
        switch type {
        case .int8, .int16, .int32, .int64, .uint16, .uint32, .float64, .bool: return "writer.write(\(value))"
        case .string, .bytes: return "writer.write(\(value), compact: \(compact))"
        case .records: return "\(value).encode(into: &writer, compact: \(compact))"
        case .uuid: return "\(value).encode(into: &writer)"
        case .error: return "writer.write(\(value).rawValue)"
        case .structure:
            return nullable
                ? "writer.writeNullable(\(value)) { value, writer in value.encodeFields(into: &writer, version: version) }"
                : "\(value).encodeFields(into: &writer, version: version)"
        case .array(let element):
            let body = encoding(element, "element", nullable: false, compact)
            return "writer.writeArray(\(value), compact: \(compact)) { element, writer in \(body) }"
        }
    }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
